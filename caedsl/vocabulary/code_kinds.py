"""Kinds of layers that only a bottleneck can hold."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import NOT_NEGATIVE, LayerOption, Options, Type
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

FREE_BITS: LayerOption[float] = LayerOption(
    "free_bits",
    Type.NUMBER,
    0.0,
    "KL divergence, in nats, that each number of the code has free of charge",
    domain=NOT_NEGATIVE,
)


class Gaussian(Kind):
    """A draw from a normal distribution: the first half of the channels are means, the second log-variances."""

    name = "gaussian"
    role = Role.PASSING
    options = (FREE_BITS,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the shape with half of the channels."""
        return (in_shape[0] // 2, *in_shape[1:])

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the module that draws."""
        free = layer.options[FREE_BITS]
        return (call("Gaussian", free_bits=free) if free else call("Gaussian"),)


PLACEABLE: dict[str, Kind] = {**KINDS, Gaussian.name: Gaussian()}
"""Every kind that a line of the compiler may name."""
