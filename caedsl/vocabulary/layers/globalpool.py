"""``globalpool``: the mean of each channel."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, rank


class GlobalPool(Kind):
    """The mean of each channel over the whole map: a vector with one number per channel."""

    name = "globalpool"
    role = Role.PASSING
    ranks = (1, 2, 3)
    joins_all = True
    example = "globalpool"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return a vector of the channels."""
        return (in_shape[0],)

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return a map of a single position, and its upsampling to the size before."""
        axes = rank(layer.in_shape)
        return (
            Draft("reshape", {"shape": (layer.in_shape[0], *(1,) * axes)}),
            Draft("upsample", {"to": layer.in_shape[1:]}),
        )

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the pool to one position, and ``Flatten``."""
        return (call(f"AdaptiveAvgPool{rank(layer.in_shape)}d", 1), call("Flatten"))
