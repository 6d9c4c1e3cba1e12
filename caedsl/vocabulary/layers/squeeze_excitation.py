"""``se``: squeeze and excitation."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

REDUCTION: LayerOption[int] = LayerOption(
    "reduction", Type.COUNT, 16, "reduction of the channels between the two layers", Written.FIRST, FROM_ONE
)


class SqueezeExcitation(Kind):
    """Weights each channel by a function of the means of all channels (Hu et al. 2018, arXiv 1709.01507).

    Two dense layers compute the weights from the means, with channels / N numbers between them.
    """

    name = "se"
    role = Role.ADJUSTING
    ranks = (1, 2, 3)
    joins_all = True
    linear = False
    example = "se 16"
    options = (REDUCTION,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        if options[REDUCTION] <= in_shape[0]:
            return in_shape
        return Misfit(
            "groups-do-not-divide",
            f"`se {options[REDUCTION]}` leaves nothing of {in_shape[0]} channels between its two layers",
            help=f"use `se {max(1, in_shape[0] // 4)}`",
            option=REDUCTION.name,
        )

    def weights(self, layer: PlacedLayer) -> int:
        """Return the weights of both dense layers."""
        return 2 * layer.in_shape[0] * _hidden(layer)

    def parameters(self, layer: PlacedLayer) -> int:
        """Return the weights and the biases."""
        return self.weights(layer) + _hidden(layer) + layer.in_shape[0]

    def macs(self, layer: PlacedLayer) -> int:
        """Return one operation per weight."""
        return self.weights(layer)

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the same layer."""
        return (Draft(self.name, copied(layer, REDUCTION)),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``SqueezeExcitation``."""
        return (call("SqueezeExcitation", layer.in_shape[0], _hidden(layer)),)


def _hidden(layer: PlacedLayer) -> int:
    return layer.in_shape[0] // layer.options[REDUCTION]
