"""``attention``: self-attention between the positions of a map."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, LayerOption, Options, Type
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements

HEADS: LayerOption[int] = LayerOption("heads", Type.COUNT, 1, "number of attention heads", domain=FROM_ONE)


class Attention(Kind):
    """Self-attention between all positions of a map (Vaswani et al. 2017, arXiv 1706.03762).

    It has neither a residual nor a normalisation itself: `residual { norm group groups=32; attention heads=4 }`.
    """

    name = "attention"
    role = Role.ADJUSTING
    ranks = (1, 2, 3)
    joins_all = True
    linear = False
    example = "attention heads=4"
    options = (HEADS,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape, if the heads divide its channels."""
        if in_shape[0] % options[HEADS] == 0:
            return in_shape
        return Misfit(
            "groups-do-not-divide",
            f"{options[HEADS]} heads do not divide the {in_shape[0]} channels",
            notes=(
                f"{in_shape[0]} = {in_shape[0] // options[HEADS]} · {options[HEADS]} + {in_shape[0] % options[HEADS]}",
            ),
            help="use a number of heads that divides the channels",
            option=HEADS.name,
        )

    def weights(self, layer: PlacedLayer) -> int:
        """Return the weights of queries, keys, values and output."""
        return 4 * layer.in_shape[0] ** 2

    def parameters(self, layer: PlacedLayer) -> int:
        """Return the weights and a bias for each of their outputs."""
        return self.weights(layer) + 4 * layer.in_shape[0]

    def macs(self, layer: PlacedLayer) -> int:
        """Return the weights at every position, and two products between all pairs of positions."""
        places = elements(layer.in_shape[1:])
        return places * self.weights(layer) + 2 * places**2 * layer.in_shape[0]

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the same layer."""
        return (Draft(self.name, copied(layer, HEADS)),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``SelfAttention``."""
        heads = layer.options[HEADS]
        return (call("SelfAttention", layer.in_shape[0], **({"heads": heads} if heads > 1 else {})),)
