"""Base of all layer kinds; each file in ``layers/`` has one subclass, found by its name.

To add a kind, write one file in that folder with one subclass of ``Kind``. The grammar, the formatter, ``show``, the
diagrams, the mirror, the costs, the emitted source and the reference documentation follow from it.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from caedsl.vocabulary import norms
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.fitting import rank_misfit, spread
from caedsl.vocabulary.initialisations import TORCH
from caedsl.vocabulary.kernel_options import BIAS, BIAS_INIT, INIT, WEIGHT_NORM, WEIGHTS, ZEROS
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FRACTION, REQUIRED, LayerOption, Option, Options, Type
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import ADDRESSABLE, Shape, elements, rank, text
from caedsl.vocabulary.window import Reads


class Role(Enum):
    """Role of a kind in a network."""

    WEIGHTED = "multiplies its input by a kernel"
    PASSING = "selects or averages inputs, so the range of values does not grow"
    ADJUSTING = "changes the values of its input, but not their number or shape"
    RESHAPING = "changes the shape, but not the values"
    GROUPING = "contains layers and computes nothing itself"
    JOINING = "reads a named output, in addition to the layer before it or instead of it"
    SUMMING = "adds the input of its layers to their output"


class Window(Enum):
    """How a kind moves a window over a map."""

    CONVOLUTION = "computes a weighted sum of the inputs under the window"
    TRANSPOSED = "spreads every input over a window of outputs"
    POOL = "summarises the inputs under the window"


class Draft(NamedTuple):
    """Draft of a layer line: the kind's name and the options that differ from the defaults."""

    kind: str
    options: dict[str, Any]


class FittedOptions(NamedTuple):
    """Options of a layer with one number per axis, and the shape of its output."""

    options: Options
    out_shape: Shape


DROPOUT: LayerOption[float] = LayerOption(
    "dropout",
    Type.SHARE,
    0.0,
    "share of the outputs dropped during training: whole channels of a feature map",
    domain=FRACTION,
    off=0.0,
)
FINISH = (*norms.OPTIONS, ACTIVATION, DROPOUT)
"""List the options after the main operation of a layer, in the order of effect."""


class Kind:
    """Kind of layer: its options, shape rule, costs, receptive field, mirror and torch calls.

    The docstring of a subclass is its entry in the language reference.
    """

    name: ClassVar[str]
    role: ClassVar[Role]
    options: ClassVar[tuple[Option, ...]] = ()
    example: ClassVar[str] = ""
    block: ClassVar[bool] = False
    """Whether ``{ layers }`` follow the kind."""
    has_line: ClassVar[bool] = True
    """Whether a spec can contain a line of the kind; the compiler alone writes the others."""
    has_output: ClassVar[bool] = True
    """Whether `as` can name the output of a line of the kind."""
    ranks: ClassVar[tuple[int, ...]] = (0, 1, 2, 3)
    """Possible numbers of spatial axes of its input; 0 stands for a vector."""
    window: ClassVar[Window | None] = None
    joins_all: ClassVar[bool] = False
    """Whether every output sees every input."""
    keeps_values: ClassVar[bool] = False
    """Whether its output has every number of its input, so that its twin only selects or reorders numbers."""
    starts_branch: ClassVar[bool] = False
    """Whether it reads a named output instead of the layer before it."""
    linear: ClassVar[bool] = True
    """Whether the main operation is a linear map."""
    sparse: ClassVar[bool] = False
    """Whether few numbers of its output are far from 0."""
    drop_option: ClassVar[LayerOption[float]] = DROPOUT
    """Option with the share of the outputs that is dropped during training."""

    def fit(self, given: Mapping[str, Any], in_shape: Shape) -> FittedOptions | Misfit:
        """Return the completed options of a line with the output's shape, or why the layer does not fit."""
        return _fitted(self, in_shape, tuple(given.items()))

    def completed(self, given: Mapping[str, Any]) -> Options:
        """Return every option of the kind for a line with these options, with all defaults filled in."""
        options = Options({option.name: option.default for option in self.options} | dict(given))
        assert all(options.of_any_type(option) is not REQUIRED for option in self.options)
        open_options = [option for option in self.options if options.of_any_type(option) is None]
        implied = self.implied(options)
        return options.changed({option: implied.get(option.name) for option in open_options})

    def fit_again(self, options: Options, in_shape: Shape) -> FittedOptions | Misfit:
        """Return ``options`` for the axes of ``in_shape`` with the output's shape, or why they do not fit."""
        misfit = rank_misfit(self.name, self.ranks, in_shape)
        fitted = misfit or spread(self.name, self.options, options, rank(in_shape))
        if isinstance(fitted, Misfit):
            return fitted
        shape = self.out_shape(fitted, in_shape)
        if isinstance(shape, Misfit):
            return shape
        return FittedOptions(fitted, shape) if elements(shape) <= ADDRESSABLE else _beyond_tensors(shape)

    def implied(self, options: Options) -> dict[str, Any]:
        """Return the defaults that follow from other options."""
        implied: dict[Option, Any] = {}
        if BIAS in options:
            implied[BIAS] = norms.norm_of(options) is None
        if BIAS_INIT in options:
            implied[BIAS_INIT] = TORCH.name if options[INIT] == TORCH.name else ZEROS
        return written(implied)

    def label(self, options: Options) -> str:
        """Return the name of a layer in a diagram or a table."""
        return self.name

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the output's shape for an input of ``in_shape``, or why there is none."""
        raise NotImplementedError

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the arithmetic of an output size, or an empty text if nothing is computed."""
        return ""

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return a short explanation of an output size that is not a plain product or quotient."""
        return ""

    def weights(self, layer: PlacedLayer) -> int:
        """Return the number of kernel weights."""
        return 0

    def kernels(self, layer: PlacedLayer) -> int:
        """Return how many kernels ``weight_norm`` normalises: the size of the weight's first axis."""
        return layer.out_shape[0]

    def fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return how many inputs one output sums, and how many outputs one input feeds, on average."""
        raise NotImplementedError

    def power(self, options: Options) -> float:
        """Return the factor on the mean square of the values, for a kind without a kernel."""
        return 1.0

    def weight_fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the fans as ``torch.nn.init`` counts them from the weight's shape."""
        return self.fans(layer)

    def parameters(self, layer: PlacedLayer) -> int:
        """Return the number of learned parameters: kernel, bias, normalisation and activation."""
        bias = layer.out_shape[0] if layer.options.get(BIAS, False) else 0
        lengths = self.kernels(layer) if layer.options.get(WEIGHT_NORM, False) else 0
        return self.weights(layer) + bias + lengths + self._finish_parameters(layer)

    def macs(self, layer: PlacedLayer) -> int:
        """Return the multiply-accumulates of the kernel for one sample, as ``torch.utils.flop_counter`` counts them."""
        return 0

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return which inputs an output depends on, for each axis."""
        return (lambda place: (place, place),) * rank(layer.in_shape)

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return the lines that invert the layer's shape exactly, or None if there are none."""
        return ()

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the output is always the input itself, as after `maxpool 1`."""
        return False

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the torch calls of the main operation."""
        raise NotImplementedError

    def calls(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return all torch calls in order: operation, normalisation, activation, dropout."""
        return (*self.operation(layer), *self.finish(layer))

    def finish(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the torch calls after the main operation."""
        options, shape = layer.options, layer.out_shape
        norm = norms.calls(options, shape) if norms.NORM in options else ()
        activation = options[ACTIVATION].calls(shape[0]) if ACTIVATION in options else ()
        return (*norm, *activation, *drop_calls(options.get(DROPOUT, 0.0), shape))

    def _finish_parameters(self, layer: PlacedLayer) -> int:
        norm = norms.parameters(layer.options, layer.out_shape) if norms.NORM in layer.options else 0
        learned = layer.options[ACTIVATION].parameters(layer.out_shape[0]) if ACTIVATION in layer.options else 0
        return norm + learned


@lru_cache(maxsize=1024)
def _fitted(kind: Kind, in_shape: Shape, given: tuple[tuple[str, Any], ...]) -> FittedOptions | Misfit:
    """Return the fitted options of a line; identical lines are common, and verifying a fix reads most lines again."""
    return kind.fit_again(kind.completed(dict(given)), in_shape)


def _beyond_tensors(shape: Shape) -> Misfit:
    return Misfit(
        "too-large",
        f"this layer returns {text(shape)}: that is more numbers than a tensor can have",
        help="use fewer channels, a smaller input, or a smaller factor",
    )


def drop_calls(rate: float, shape: Shape) -> tuple[Call, ...]:
    """Return the module that drops whole channels of a map or single numbers of a vector; none for a rate of 0."""
    return (call(f"Dropout{rank(shape)}d" if rank(shape) else "Dropout", rate),) if rate else ()


CARRIED = (*norms.OPTIONS, *WEIGHTS)
"""Options that a mirrored layer copies; dropout is not one, because it has no shape to invert."""


def carried(layer: PlacedLayer) -> dict[str, Any]:
    """Return the options of ``layer`` that its mirror shares."""
    return copied(layer, *(option for option in CARRIED if option in layer.options))


def copied(layer: PlacedLayer, *options: Option) -> dict[str, Any]:
    """Return these options of ``layer`` under the names that a line writes."""
    return {option.name: layer.options.of_any_type(option) for option in options}


def written(values: Mapping[Option, Any]) -> dict[str, Any]:
    """Return these options under the names that a line writes."""
    return {option.name: value for option, value in values.items()}
