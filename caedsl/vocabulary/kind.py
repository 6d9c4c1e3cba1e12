"""What every layer kind answers; one subclass a file, found by its name.

To add a kind, write one file in this folder with one subclass of ``Kind``. The grammar, the formatter, ``show``, the
diagrams, the mirror, the costs, the emitted source and the reference documentation follow from it.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from caedsl.vocabulary import initialisation
from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line as Line
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FRACTION, NOT_NEGATIVE, Option, Type
from caedsl.vocabulary.shape import Shape, is_map, text

Options = Mapping[str, Any]


class Reach(NamedTuple):
    """How far one output sees along one axis: ``extent`` inputs, and ``stride`` inputs from one output to the next."""

    extent: int
    stride: Fraction


NO_BIAS_CHOSEN = None
"""The default of ``bias``: on, unless a normalisation follows."""

WEIGHTS = (
    Option("bias", Type.SWITCH, NO_BIAS_CHOSEN, "whether a bias is added; on, unless a normalisation follows"),
    initialisation.OPTION,
    Option("l1", Type.NUMBER, 0.0, "λ of λ·Σ|w| over the kernel, added to the loss", domain=NOT_NEGATIVE),
    Option("l2", Type.NUMBER, 0.0, "λ of λ·Σw² over the kernel, added to the loss", domain=NOT_NEGATIVE),
)
DROPOUT = Option(
    "dropout",
    Type.SHARE,
    0.0,
    "share of the outputs dropped while training: whole channels of a feature map",
    domain=FRACTION,
)
FINISH = (*normalisation.OPTIONS, ACTIVATION, DROPOUT)
"""Options of what follows the main operation of a layer, in the order of effect."""


class Kind:
    """A kind of layer: its options, shape rule, costs, reach, mirror twin and torch calls.

    The docstring of a subclass is its entry in the language reference.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()
    example: ClassVar[str] = ""
    block: ClassVar[bool] = False
    """Whether the kind is followed by ``{ layers }``."""

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The output's shape for an input of ``in_shape``, or why there is none."""
        raise NotImplementedError

    def arithmetic(self, layer: Layer) -> str:
        """How the height follows from the input's, as a line of arithmetic; empty where nothing is computed."""
        return ""

    def weights(self, layer: Layer) -> int:
        """How many numbers the kernel holds."""
        return 0

    def fans(self, layer: Layer) -> tuple[float, float]:
        """How many inputs one output sums, and how many outputs one input feeds, on average."""
        raise NotImplementedError

    def weight_fans(self, layer: Layer) -> tuple[float, float]:
        """The fans as ``torch.nn.init`` counts them from the weight's shape."""
        return self.fans(layer)

    def parameters(self, layer: Layer) -> int:
        """How many parameters the layer learns: kernel, bias, normalisation and activation."""
        bias = layer.out_shape[0] if layer.options.get("bias") else 0
        return self.weights(layer) + bias + self._finish_parameters(layer)

    def macs(self, layer: Layer) -> int:
        """Multiply-accumulates for one image, in convolutions and dense layers (as ``torch.utils.flop_counter`` counts)."""
        return 0

    def reach(self, layer: Layer) -> tuple[Reach, Reach] | None:
        """The reach in height and width; None where every output sees the whole input."""
        return (Reach(1, Fraction(1)), Reach(1, Fraction(1)))

    def twin(self, layer: Layer) -> tuple[Line, ...] | None:
        """The lines that undo the layer's shape exactly; None where no such lines exist."""
        return ()

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """The torch calls of the main operation."""
        raise NotImplementedError

    def calls(self, layer: Layer) -> tuple[Call, ...]:
        """All torch calls in order: operation, normalisation, activation, dropout."""
        return (*self.operation(layer), *self.finish(layer))

    def finish(self, layer: Layer) -> tuple[Call, ...]:
        """The torch calls after the main operation."""
        options, shape = layer.options, layer.out_shape
        norm = normalisation.calls(options, shape) if "norm" in options else ()
        activation = options["activation"].calls() if "activation" in options else ()
        rate = options.get("dropout", 0.0)
        dropout = (call("Dropout2d" if is_map(shape) else "Dropout", rate),) if rate else ()
        return (*norm, *activation, *dropout)

    def _finish_parameters(self, layer: Layer) -> int:
        norm = normalisation.parameters(layer.options, layer.out_shape) if "norm" in layer.options else 0
        learned: int = layer.options["activation"].parameters if "activation" in layer.options else 0
        return norm + learned


CARRIED = ("norm", *normalisation.BELONGS_TO, "init", "l1", "l2", "bias")
"""Options that a mirrored layer takes over from its twin; dropout is not one: it has no shape to undo."""


def carried(layer: Layer) -> dict[str, Any]:
    """The options of ``layer`` that its mirror twin shares."""
    return {name: layer.options[name] for name in CARRIED if name in layer.options}


def needs_map(kind: str, in_shape: Shape) -> Misfit | None:
    """The misfit of a layer for feature maps that is given a vector."""
    if is_map(in_shape):
        return None
    return Misfit(
        "needs-a-map",
        f"`{kind}` needs a feature map, but what comes before leaves {text(in_shape)} numbers",
        help="put `reshape CxHxW` before it, with C·H·W = " + text(in_shape),
    )
