"""``bottleneck``: the encoder's output as it stands."""

from caedsl.vocabulary.form import CODE_OPTIONS, Form
from caedsl.vocabulary.option import FROM_ONE, LayerOption, Type, Written
from caedsl.vocabulary.shape import Shape

ASSERTED: LayerOption[Shape | None] = LayerOption(
    "shape", Type.SHAPE, None, "the code's shape, asserted", Written.FIRST, FROM_ONE
)


class Bare(Form):
    """The encoder's output as it stands; a shape may be asserted."""

    name = "bare"
    words = ()
    options = (ASSERTED, *CODE_OPTIONS)
    example = "bottleneck 32x14x14"
