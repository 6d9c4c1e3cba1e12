"""Activation functions, one declaration each. The language, the rules, the initialisation and the backend read them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, pi, sqrt, tanh
from typing import Any, NamedTuple

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import REQUIRED, Domain, LayerOption, Option, Type, Written
from caedsl.vocabulary.words import Words

Number = Callable[[Any], float]
"""A property that may depend on the value of the activation's option."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """Activation function.

    ``option`` is the one number or range that it takes, named as the constructor of its torch module names it.
    ``torch`` returns that module's call for a value of the option. The other fields say what the compiler has to know;
    those that are functions get the value of the option:

    - ``low`` and ``high`` bound the output.
    - ``rectifier``: it passes about half of a centred signal, so that He initialisation keeps the variance
      (He et al. 2015, arXiv 1502.01852). ``leak`` is the slope below zero of a rectifier that is linear there.
    - ``slope`` is the steepest slope, and ``saturates`` says whether the function is flat at both -5 and 5.
    - ``dies``: the slope is exactly 0 below zero.
    - ``passed`` is what it leaves of the power of a standard normal input: E[f(x)²] for rectifiers and Var f(x) for
      softplus. For saturating functions it is the squared slope, the most that they pass on.
    - ``ceiling`` is the power that it lets through at most, whatever comes in.
    - ``learned`` counts its parameters.
    """

    name: str
    option: Option | None
    torch: Callable[[Any], tuple[Call, ...]]
    low: Number
    high: Number
    rectifier: bool
    leak: Number | None
    slope: Number
    saturates: bool
    dies: bool
    passed: Number
    ceiling: Number
    learned: int


class Activation(NamedTuple):
    """Activation of a layer: its name and the value of its option (``leaky_relu=0.1``), None for the default."""

    name: str = "linear"
    parameter: Any = None

    @property
    def function(self) -> Function:
        """Return the declaration of the name."""
        return FUNCTIONS[self.name]

    @property
    def value(self) -> Any:
        """Return the value of the option, or its default."""
        option = self.function.option
        return option.default if self.parameter is None and option is not None else self.parameter

    @property
    def low(self) -> float:
        """Return the lowest value of the output (some functions only approach it)."""
        return self.function.low(self.value)

    @property
    def high(self) -> float:
        """Return the highest value of the output (some functions only approach it)."""
        return self.function.high(self.value)

    @property
    def leak(self) -> float | None:
        """Return the slope below zero of a rectifier that is linear there."""
        return None if self.function.leak is None else self.function.leak(self.value)

    @property
    def slope(self) -> float:
        """Return the steepest slope."""
        return self.function.slope(self.value)

    @property
    def passed(self) -> float:
        """Return the factor by which the power of a signal changes (see ``Function``)."""
        return self.function.passed(self.value)

    @property
    def ceiling(self) -> float:
        """Return the largest power of the output."""
        return self.function.ceiling(self.value)

    @property
    def parameters(self) -> int:
        """Return the number of learned parameters."""
        return self.function.learned

    def __str__(self) -> str:
        option = self.function.option
        if option is None or self.value == option.default:
            return self.name
        text = "..".join(f"{end:g}" for end in self.value) if isinstance(self.value, tuple) else f"{self.value:g}"
        return f"{self.name}={text}"

    def calls(self) -> tuple[Call, ...]:
        """Return the call of the torch module; nothing for ``linear``."""
        return self.function.torch(self.value)


def _always(number: float) -> Number:
    return lambda value: number


def _plain(module: str) -> Callable[[Any], tuple[Call, ...]]:
    return lambda value: (call(module),)


def _with(module: str, option: Option) -> Callable[[Any], tuple[Call, ...]]:
    """Return the call of a module with its option, which is left out where it has the default."""
    return lambda value: (call(module) if value == option.default else call(module, **{option.name: value}),)


def _capped_power(cap: float) -> float:
    """Return E[f(x)²] of cap · tanh(x / cap) for a standard normal x, by the trapezoidal rule."""
    places = [step / 10 for step in range(-80, 81)]
    return sum((cap * tanh(x / cap)) ** 2 * exp(-x * x / 2) for x in places) / 10 / sqrt(2 * pi)


_LEAK = Option(
    "negative_slope", Type.NUMBER, 0.01, "slope below zero", domain=Domain(0, 1, low_open=True, high_open=True)
)
_LEARNED_LEAK = Option("init", Type.NUMBER, 0.25, "slope below zero at the start", domain=Domain(0, 1))
_ALPHA = Option("alpha", Type.NUMBER, 1.0, "the output's lower bound is its negative", domain=Domain(0, 100, True))
_AMPLITUDE = Option(
    "scale", Type.NUMBER, 1.0, "factor on the output, `tanh=2` returns -2..2", domain=Domain(0, 1e6, True)
)
_CAP = Option("cap", Type.NUMBER, REQUIRED, "bound of the output on both sides", domain=Domain(0, 1e6, True))
_HARD_SLOPE = Option(
    "slope", Type.NUMBER, 1 / 6, "slope at 0, which is 0.2 in Keras before version 3", domain=Domain(0, 1e6, True)
)
_ENDS = Option("range", Type.ENDS, REQUIRED, "lowest and highest output")
_NO_END = _always(inf)
_ONE = _always(1.0)

RELU = Function(
    name="relu",
    option=None,
    torch=_plain("ReLU"),
    low=_always(0.0),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=True,
    passed=_always(0.5),
    ceiling=_NO_END,
    learned=0,
)
LEAKY_RELU = Function(
    name="leaky_relu",
    option=_LEAK,
    torch=_with("LeakyReLU", _LEAK),
    low=_always(-inf),
    high=_NO_END,
    rectifier=True,
    leak=float,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=lambda slope: (1 + slope * slope) / 2,
    ceiling=_NO_END,
    learned=0,
)
ELU = Function(
    name="elu",
    option=_ALPHA,
    torch=_with("ELU", _ALPHA),
    low=lambda alpha: -alpha,
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=lambda alpha: max(1.0, alpha),
    saturates=False,
    dies=False,
    passed=lambda alpha: 0.5 + 0.1449 * alpha * alpha,
    ceiling=_NO_END,
    learned=0,
)
SELU = Function(
    name="selu",
    option=None,
    torch=_plain("SELU"),
    low=_always(-1.7581),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=_always(1.7581),
    saturates=False,
    dies=False,
    passed=_ONE,
    ceiling=_NO_END,
    learned=0,
)
GELU = Function(
    name="gelu",
    option=None,
    torch=_plain("GELU"),
    low=_always(-0.17),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_always(1.1289),
    saturates=False,
    dies=False,
    passed=_always(0.425),
    ceiling=_NO_END,
    learned=0,
)
SILU = Function(
    name="silu",
    option=None,
    torch=_plain("SiLU"),
    low=_always(-0.2785),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_always(1.0998),
    saturates=False,
    dies=False,
    passed=_always(0.356),
    ceiling=_NO_END,
    learned=0,
)
MISH = Function(
    name="mish",
    option=None,
    torch=_plain("Mish"),
    low=_always(-0.3089),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_always(1.0885),
    saturates=False,
    dies=False,
    passed=_always(0.452),
    ceiling=_NO_END,
    learned=0,
)
PRELU = Function(
    name="prelu",
    option=_LEARNED_LEAK,
    torch=_with("PReLU", _LEARNED_LEAK),
    low=_always(-inf),
    high=_NO_END,
    rectifier=True,
    leak=float,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=lambda slope: (1 + slope * slope) / 2,
    ceiling=_NO_END,
    learned=1,
)
SOFTPLUS = Function(
    name="softplus",
    option=None,
    torch=_plain("Softplus"),
    low=_always(0.0),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=_always(0.272),
    ceiling=_NO_END,
    learned=0,
)
TANH = Function(
    name="tanh",
    option=_AMPLITUDE,
    torch=lambda scale: (call("Tanh") if scale == 1 else call("ScaledTanh", scale),),
    low=lambda scale: -scale,
    high=float,
    rectifier=False,
    leak=None,
    slope=float,
    saturates=True,
    dies=False,
    passed=lambda scale: scale * scale,
    ceiling=lambda scale: scale * scale,
    learned=0,
)
SOFTCAP = Function(
    name="softcap",
    option=_CAP,
    torch=lambda cap: (call("SoftCap", cap),),
    low=lambda cap: -cap,
    high=float,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=_capped_power,
    ceiling=lambda cap: cap * cap,
    learned=0,
)
SIGMOID = Function(
    name="sigmoid",
    option=None,
    torch=_plain("Sigmoid"),
    low=_always(0.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=_always(1 / 4),
    saturates=True,
    dies=False,
    passed=_always(1 / 16),
    ceiling=_always(1 / 16),
    learned=0,
)

RELU6 = Function(
    name="relu6",
    option=None,
    torch=_plain("ReLU6"),
    low=_always(0.0),
    high=_always(6.0),
    rectifier=True,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=True,
    passed=_always(0.5),
    ceiling=_always(36.0),
    learned=0,
)
HARDSWISH = Function(
    name="hardswish",
    option=None,
    torch=_plain("Hardswish"),
    low=_always(-0.375),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_always(1.5),
    saturates=False,
    dies=False,
    passed=_always(0.3316),
    ceiling=_NO_END,
    learned=0,
)
HARDSIGMOID = Function(
    name="hardsigmoid",
    option=_HARD_SLOPE,
    torch=lambda slope: (call("Hardsigmoid") if slope == 1 / 6 else call("HardSigmoid", slope),),
    low=_always(0.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=float,
    saturates=True,
    dies=False,
    passed=lambda slope: slope * slope,
    ceiling=lambda slope: slope * slope,
    learned=0,
)
HARDTANH = Function(
    name="hardtanh",
    option=None,
    torch=_plain("Hardtanh"),
    low=_always(-1.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=True,
    dies=False,
    passed=_ONE,
    ceiling=_ONE,
    learned=0,
)
CLIP = Function(
    name="clip",
    option=_ENDS,
    torch=lambda ends: (call("Hardtanh", *ends),),
    low=lambda ends: float(ends[0]),
    high=lambda ends: float(ends[1]),
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=True,
    dies=False,
    passed=_ONE,
    ceiling=lambda ends: float(max(ends[0] * ends[0], ends[1] * ends[1])),
    learned=0,
)
LINEAR_FUNCTION = Function(
    name="linear",
    option=None,
    torch=lambda value: (),
    low=_always(-inf),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=_ONE,
    ceiling=_NO_END,
    learned=0,
)

FUNCTIONS = Words(__name__, Function)
LINEAR = Activation()

ACTIVATION: LayerOption[Activation] = LayerOption(
    "activation",
    Type.ACTIVATION,
    LINEAR,
    "applied after the normalisation; some take a number (`leaky_relu=0.1`)",
    Written.BARE,
)


def bare() -> tuple[str, ...]:
    """Return the names of the activations that need no value."""
    return tuple(f.name for f in FUNCTIONS.values() if f.option is None or f.option.default is not REQUIRED)


def fitting(low: float | None, high: float | None) -> Activation:
    """Return the activation for an output whose values fill ``low..high``: linear where none has that range.

    Of several functions with the range, the first declared is meant.
    """
    candidates = (Activation(name) for name in bare() if FUNCTIONS[name].saturates)
    return next((each for each in candidates if (each.low, each.high) == (low, high)), LINEAR)
