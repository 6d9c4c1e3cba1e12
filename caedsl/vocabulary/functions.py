"""Activation functions, with one declaration each, used by the language, rules, initialisation and backend."""

from dataclasses import replace
from math import erf, expm1, inf, sqrt, tanh

from caedsl.vocabulary.call import call
from caedsl.vocabulary.function import Function, always, capped_power, nothing, plain, sigmoid, softplus, with_option
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type
from caedsl.vocabulary.words import Words

_LEAK = Option(
    "negative_slope", Type.NUMBER, 0.01, "slope below zero", domain=Domain(0, 1, low_open=True, high_open=True)
)
_LEARNED_LEAK = Option("init", Type.NUMBER, 0.25, "initial slope below zero", domain=Domain(0, 1))
_CHANNEL_LEAK = _LEARNED_LEAK._replace(about="initial slope below zero, of which each channel learns its own")
_ALPHA = Option("alpha", Type.NUMBER, 1.0, "minus the lower bound of the output", domain=Domain(0, 100, True))
_AMPLITUDE = Option(
    "scale", Type.NUMBER, 1.0, "factor on the output: `tanh=2` returns -2..2", domain=Domain(0, 1e6, True)
)
_CAP = Option("cap", Type.NUMBER, REQUIRED, "bound of the absolute output", domain=Domain(0, 1e6, True))
_HARD_SLOPE = Option(
    "slope", Type.NUMBER, 1 / 6, "slope at 0, which is 0.2 in Keras before version 3", domain=Domain(0, 1e6, True)
)
_ENDS = Option("range", Type.ENDS, REQUIRED, "smallest and largest output")
_NO_END = always(inf)
_ONE = always(1.0)

RELU = Function(
    name="relu",
    option=None,
    torch=plain("ReLU"),
    formula=lambda value, x: max(x, 0.0),
    low=always(0.0),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=True,
    passed=always(0.5),
    faint=always(0.5),
    ceiling=_NO_END,
    learned=nothing,
)
LEAKY_RELU = Function(
    name="leaky_relu",
    option=_LEAK,
    torch=with_option("LeakyReLU", _LEAK),
    formula=lambda slope, x: x if x > 0 else slope * x,
    low=always(-inf),
    high=_NO_END,
    rectifier=True,
    leak=float,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=lambda slope: (1 + slope * slope) / 2,
    faint=lambda slope: (1 + slope * slope) / 2,
    ceiling=_NO_END,
    learned=nothing,
)
ELU = Function(
    name="elu",
    option=_ALPHA,
    torch=with_option("ELU", _ALPHA),
    formula=lambda alpha, x: x if x > 0 else alpha * expm1(x),
    low=lambda alpha: -alpha,
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=lambda alpha: max(1.0, alpha),
    saturates=False,
    dies=False,
    passed=lambda alpha: 0.5 + 0.1449 * alpha * alpha,
    faint=lambda alpha: (1 + alpha * alpha) / 2,
    ceiling=_NO_END,
    learned=nothing,
)
SELU = Function(
    name="selu",
    option=None,
    torch=plain("SELU"),
    formula=lambda value, x: 1.0507 * (x if x > 0 else 1.67326 * expm1(x)),
    low=always(-1.7581),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=always(1.7581),
    saturates=False,
    dies=False,
    passed=_ONE,
    faint=always(2.098),
    ceiling=_NO_END,
    learned=nothing,
)
GELU = Function(
    name="gelu",
    option=None,
    torch=plain("GELU"),
    formula=lambda value, x: x * (1 + erf(x / sqrt(2))) / 2,
    low=always(-0.17),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=always(1.1289),
    saturates=False,
    dies=False,
    passed=always(0.425),
    faint=always(0.25),
    ceiling=_NO_END,
    learned=nothing,
)
SILU = Function(
    name="silu",
    option=None,
    torch=plain("SiLU"),
    formula=lambda value, x: x * sigmoid(x),
    low=always(-0.2785),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=always(1.0998),
    saturates=False,
    dies=False,
    passed=always(0.356),
    faint=always(0.25),
    ceiling=_NO_END,
    learned=nothing,
)
MISH = Function(
    name="mish",
    option=None,
    torch=plain("Mish"),
    formula=lambda value, x: x * tanh(softplus(x)),
    low=always(-0.3089),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=always(1.0885),
    saturates=False,
    dies=False,
    passed=always(0.452),
    faint=always(0.36),
    ceiling=_NO_END,
    learned=nothing,
)
PRELU = Function(
    name="prelu",
    option=_LEARNED_LEAK,
    torch=with_option("PReLU", _LEARNED_LEAK),
    formula=lambda slope, x: x if x > 0 else slope * x,
    low=always(-inf),
    high=_NO_END,
    rectifier=True,
    leak=float,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=lambda slope: (1 + slope * slope) / 2,
    faint=lambda slope: (1 + slope * slope) / 2,
    ceiling=_NO_END,
    learned=lambda channels: 1,
)
CHANNEL_PRELU = replace(
    PRELU,
    name="channel_prelu",
    option=_CHANNEL_LEAK,
    torch=with_option("PReLU", _CHANNEL_LEAK, counted=True),
    learned=lambda channels: channels,
)
SOFTPLUS = Function(
    name="softplus",
    option=None,
    torch=plain("Softplus"),
    formula=lambda value, x: softplus(x),
    low=always(0.0),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=always(0.272),
    faint=always(0.25),
    ceiling=_NO_END,
    learned=nothing,
)
TANH = Function(
    name="tanh",
    option=_AMPLITUDE,
    torch=lambda scale, channels: (call("Tanh") if scale == 1 else call("ScaledTanh", scale),),
    formula=lambda scale, x: scale * tanh(x),
    low=lambda scale: -scale,
    high=float,
    rectifier=False,
    leak=None,
    slope=float,
    saturates=True,
    dies=False,
    passed=lambda scale: scale * scale,
    faint=lambda scale: scale * scale,
    ceiling=lambda scale: scale * scale,
    learned=nothing,
)
SOFTCAP = Function(
    name="softcap",
    option=_CAP,
    torch=lambda cap, channels: (call("SoftCap", cap),),
    formula=lambda cap, x: cap * tanh(x / cap),
    low=lambda cap: -cap,
    high=float,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=capped_power,
    faint=_ONE,
    ceiling=lambda cap: cap * cap,
    learned=nothing,
)
SIGMOID = Function(
    name="sigmoid",
    option=None,
    torch=plain("Sigmoid"),
    formula=lambda value, x: sigmoid(x),
    low=always(0.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=always(1 / 4),
    saturates=True,
    dies=False,
    passed=always(1 / 16),
    faint=always(1 / 16),
    ceiling=always(1 / 16),
    learned=nothing,
)

RELU6 = Function(
    name="relu6",
    option=None,
    torch=plain("ReLU6"),
    formula=lambda value, x: min(max(x, 0.0), 6.0),
    low=always(0.0),
    high=always(6.0),
    rectifier=True,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=True,
    passed=always(0.5),
    faint=always(0.5),
    ceiling=always(36.0),
    learned=nothing,
)
HARDSWISH = Function(
    name="hardswish",
    option=None,
    torch=plain("Hardswish"),
    formula=lambda value, x: x * min(max(x + 3, 0.0), 6.0) / 6,
    low=always(-0.375),
    high=_NO_END,
    rectifier=True,
    leak=None,
    slope=always(1.5),
    saturates=False,
    dies=False,
    passed=always(0.3316),
    faint=always(0.25),
    ceiling=_NO_END,
    learned=nothing,
)
HARDSIGMOID = Function(
    name="hardsigmoid",
    option=_HARD_SLOPE,
    torch=lambda slope, channels: (call("Hardsigmoid") if slope == 1 / 6 else call("HardSigmoid", slope),),
    formula=lambda slope, x: min(max(slope * x + 0.5, 0.0), 1.0),
    low=always(0.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=float,
    saturates=True,
    dies=False,
    passed=lambda slope: slope * slope,
    faint=lambda slope: slope * slope,
    ceiling=lambda slope: slope * slope,
    learned=nothing,
)
HARDTANH = Function(
    name="hardtanh",
    option=None,
    torch=plain("Hardtanh"),
    formula=lambda value, x: min(max(x, -1.0), 1.0),
    low=always(-1.0),
    high=_ONE,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=True,
    dies=False,
    passed=_ONE,
    faint=_ONE,
    ceiling=_ONE,
    learned=nothing,
)
CLIP = Function(
    name="clip",
    option=_ENDS,
    torch=lambda ends, channels: (call("Hardtanh", *ends),),
    formula=lambda ends, x: min(max(x, float(ends[0])), float(ends[1])),
    low=lambda ends: float(ends[0]),
    high=lambda ends: float(ends[1]),
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=True,
    dies=False,
    passed=_ONE,
    faint=_ONE,
    ceiling=lambda ends: float(max(ends[0] * ends[0], ends[1] * ends[1])),
    learned=nothing,
)
LINEAR_FUNCTION = Function(
    name="linear",
    option=None,
    torch=lambda value, channels: (),
    formula=lambda value, x: x,
    low=always(-inf),
    high=_NO_END,
    rectifier=False,
    leak=None,
    slope=_ONE,
    saturates=False,
    dies=False,
    passed=_ONE,
    faint=_ONE,
    ceiling=_NO_END,
    learned=nothing,
)

FUNCTIONS = Words(__name__, Function)
