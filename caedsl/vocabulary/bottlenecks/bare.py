"""``bottleneck``: the unchanged output of the encoder."""

from caedsl.vocabulary.form import CODE_OPTIONS, Form
from caedsl.vocabulary.option import FROM_ONE, LayerOption, Type, Written
from caedsl.vocabulary.shape import Shape

ASSERTED: LayerOption[Shape | None] = LayerOption(
    "shape", Type.SHAPE, None, "the shape that the code must have", Written.FIRST, FROM_ONE
)


class Bare(Form):
    """The unchanged output of the encoder; a shape may be asserted."""

    name = "bare"
    words = ()
    options = (ASSERTED, *CODE_OPTIONS)
    example = "bottleneck 32x14x14"
