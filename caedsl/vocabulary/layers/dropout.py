"""``dropout``: random dropping of values during training."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Kind, Role, drop_calls
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

RATE = DROPOUT._replace(name="rate", default=REQUIRED, written=Written.FIRST, about="share to drop")
ELEMENTWISE: LayerOption[bool] = LayerOption(
    "elementwise", Type.FLAG, False, "drop single numbers of a feature map instead of whole channels", Written.BARE
)


class Dropout(Kind):
    """Drops this share of its input during training: whole channels of a feature map, single numbers of a vector.

    A mirrored decoder omits it.
    """

    name = "dropout"
    role = Role.PASSING
    example = "dropout 10%"
    options = (RATE, ELEMENTWISE)
    drop_option = RATE

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        return in_shape

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether nothing is dropped."""
        return not layer.options[RATE]

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the dropout of whole channels on maps, or of single numbers."""
        if layer.options[ELEMENTWISE]:
            return (call("Dropout", layer.options[RATE]),)
        return drop_calls(layer.options[RATE], layer.in_shape)
