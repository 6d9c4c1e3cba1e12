"""``gdn``: generalised divisive normalisation."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements

INVERSE: LayerOption[bool] = LayerOption(
    "inverse", Type.FLAG, False, "multiply by the mixture instead, as decoders do", Written.BARE
)


class Gdn(Kind):
    """Divides each channel by a learned mixture of all channels at the same position.

    This is generalised divisive normalisation (Ballé et al. 2016, arXiv 1511.06281). `gdn inverse` multiplies instead;
    a mirror writes it in the decoder.
    """

    name = "gdn"
    role = Role.ADJUSTING
    ranks = (1, 2, 3)
    linear = False
    example = "gdn"
    options = (INVERSE,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        return in_shape

    def weights(self, layer: PlacedLayer) -> int:
        """Return one weight per pair of channels."""
        return layer.in_shape[0] ** 2

    def parameters(self, layer: PlacedLayer) -> int:
        """Return the number of weights, plus one offset per channel."""
        return self.weights(layer) + layer.in_shape[0]

    def macs(self, layer: PlacedLayer) -> int:
        """Return the multiply-accumulates of the mixtures at all positions."""
        return self.weights(layer) * elements(layer.in_shape[1:])

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the inverse operation."""
        return (Draft(self.name, written({INVERSE: not layer.options[INVERSE]})),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``GDN``."""
        return (call("GDN", layer.in_shape[0], **({"inverse": True} if layer.options[INVERSE] else {})),)
