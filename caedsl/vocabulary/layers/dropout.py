"""``dropout``: noise that drops outputs while training."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Kind, Options
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, Written
from caedsl.vocabulary.shape import Shape, is_map


class Dropout(Kind):
    """Drops this share of what comes before while training: whole channels of a feature map, single numbers of a vector.

    A mirrored decoder leaves it out.
    """

    name = "dropout"
    example = "dropout 10%"
    options = (DROPOUT._replace(name="rate", default=REQUIRED, written=Written.FIRST, about="share dropped"),)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The input's."""
        return in_shape

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``Dropout2d`` on maps."""
        return (call("Dropout2d" if is_map(layer.in_shape) else "Dropout", layer.options["rate"]),)
