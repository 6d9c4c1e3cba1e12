"""Kinds of layers that occur only in bottlenecks."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import (
    FRACTION,
    FROM_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    REQUIRED,
    LayerOption,
    Options,
    Type,
    Written,
)
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements, text
from caedsl.vocabulary.sparse_codes import Sparsity, TopK

FREE_BITS: LayerOption[float] = LayerOption(
    "free_bits",
    Type.NUMBER,
    0.0,
    "KL divergence in nats that is free for each number of the code",
    domain=NOT_NEGATIVE,
)
FREE_NATS: LayerOption[float] = LayerOption(
    "free_nats",
    Type.NUMBER,
    0.0,
    "KL divergence in nats that is free for the whole code of each sample",
    domain=NOT_NEGATIVE,
)
FREE = (FREE_BITS, FREE_NATS)
CAPACITY: LayerOption[float] = LayerOption(
    "capacity",
    Type.NUMBER,
    0.0,
    "KL divergence in nats that the code should have: its distance from this costs `beta`",
    domain=NOT_NEGATIVE,
)


class Gaussian(Kind):
    """Sample from a normal distribution: the first half of the channels are means, the second log-variances."""

    name = "gaussian"
    has_line = False
    role = Role.PASSING
    options = (*FREE, CAPACITY)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the shape with half of the channels."""
        return (in_shape[0] // 2, *in_shape[1:])

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the module that samples."""
        free = {option.name: layer.options[option] for option in FREE if layer.options[option]}
        return (call("Gaussian", **free),)


CODEBOOK: LayerOption[Shape] = LayerOption(
    "codebook",
    Type.SHAPE,
    REQUIRED,
    "vectors and their channels: `512x64`, or `512` for the encoder's own channels",
    Written.FIRST,
    FROM_ONE,
)
EMA: LayerOption[float] = LayerOption(
    "ema", Type.NUMBER, 0.99, "decay of the moving averages of the codebook", domain=FRACTION
)


GRADIENT = "gradient"
UPDATE: LayerOption[str] = LayerOption(
    "update",
    Type.CHOICE,
    "ema",
    "how the codebook learns: by moving averages of its inputs (`ema`), or by the optimizer (`gradient`)",
    choices=("ema", GRADIENT),
)


SPREAD: LayerOption[float | None] = LayerOption(
    "spread",
    Type.NUMBER,
    None,
    "largest initial value of the vectors, with `update=gradient`; 1 over their count by default",
    domain=POSITIVE,
)


class Quantizer(Kind):
    """Nearest vector of a codebook at every position."""

    name = "quantizer"
    has_line = False
    role = Role.PASSING
    ranks = (1, 2, 3)
    linear = False
    options = (CODEBOOK, UPDATE, EMA, SPREAD)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape, if the codebook has one or two numbers."""
        if len(options[CODEBOOK]) > 2:
            return Misfit(
                "wrong-type",
                f"a codebook has at most two numbers, but `{text(options[CODEBOOK])}` has {len(options[CODEBOOK])}",
                help="write the number of vectors and their channels: `bottleneck quantized 512x64`",
                option=CODEBOOK.name,
            )
        return in_shape

    def parameters(self, layer: PlacedLayer) -> int:
        """Return the number of codebook values that the optimizer trains."""
        return elements(_table(layer)) if layer.options[UPDATE] == GRADIENT else 0

    def macs(self, layer: PlacedLayer) -> int:
        """Return one product of every position with every vector."""
        return elements(layer.in_shape[1:]) * elements(_table(layer))

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the module that selects the vectors."""
        decay = None if layer.options[UPDATE] == GRADIENT else layer.options[EMA]
        ema = {} if decay == EMA.default else {"ema": decay}
        spread = {} if layer.options[SPREAD] is None else {"spread": layer.options[SPREAD]}
        return (call("Quantizer", *_table(layer), **ema, **spread),)


def _table(layer: PlacedLayer) -> Shape:
    """Return the number of vectors and of their channels."""
    return layer.options[CODEBOOK][0], layer.in_shape[0]


_OWN: tuple[Kind, ...] = (Gaussian(), Quantizer(), TopK(), Sparsity())
PLACEABLE: dict[str, Kind] = KINDS | {kind.name: kind for kind in _OWN}
"""List every kind that a line of the compiler can name."""
