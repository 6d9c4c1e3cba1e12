"""Initial distributions of the weights, with one declaration for each ``init=``."""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import NamedTuple

from caedsl.vocabulary.activations import Activation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import POSITIVE, LayerOption, Type
from caedsl.vocabulary.words import Words

AUTO = "auto"
"""Use He before rectifiers and Glorot otherwise for this word."""
CUT = 2.0
"""Redraw values beyond this many standard deviations in ``truncated_normal``, as Keras does."""

STD: LayerOption[float] = LayerOption(
    "std",
    Type.NUMBER,
    0.02,
    "standard deviation of `init=normal` and `init=truncated_normal`",
    domain=POSITIVE,
)
GAIN: LayerOption[float] = LayerOption(
    "gain",
    Type.NUMBER,
    1.0,
    "factor on the standard deviation of `init=glorot` and `init=orthogonal`",
    domain=POSITIVE,
)


class Kernel(NamedTuple):
    """Properties of a layer that an initialisation needs.

    Each output sums ``fan_in`` inputs, and each input feeds ``fan_out`` outputs on average; ``torch_fans`` are both as
    ``torch.nn.init`` counts them from the weight's shape. ``std`` and ``gain`` are the options with these names.
    """

    fan_in: float
    fan_out: float
    torch_fans: tuple[float, float]
    activation: Activation
    std: float
    gain: float


@dataclass(frozen=True, kw_only=True)
class Initialisation:
    """Initial distribution of the weights.

    ``title`` is its name in an emitted file. ``variance`` returns Var(w), and ``torch`` the call of the function of
    ``torch.nn.init`` without its tensor, or None for PyTorch's default. ``own`` are the options that only it reads.
    """

    name: str
    title: str
    variance: Callable[[Kernel], float]
    torch: Callable[[Kernel], Call] | None
    own: tuple[LayerOption[float], ...]


def gain_squared(activation: Activation) -> float:
    """Return He's factor on 1 / fan_in: 2 for rectifiers, 2 / (1 + slope²) for leaky ones, 1 otherwise."""
    if activation.leak is not None:
        return 2.0 / (1.0 + activation.leak * activation.leak)
    return 2.0 if activation.function.rectifier else 1.0


def _he(kernel: Kernel) -> Call:
    activation = kernel.activation
    if kernel.fan_in != kernel.torch_fans[0]:
        # torch computes the fan of a transposed convolution like that of a plain one, so the deviation is given
        return call("normal_", std=float(f"{sqrt(gain_squared(activation) / kernel.fan_in):.6g}"))
    if activation.leak is not None:
        return call("kaiming_normal_", a=activation.leak, nonlinearity="leaky_relu")
    return call("kaiming_normal_", nonlinearity="relu" if activation.function.rectifier else "linear")


def _gain(kernel: Kernel) -> dict[str, float]:
    return {} if kernel.gain == 1.0 else {"gain": kernel.gain}


def _truncated_variance(kernel: Kernel) -> float:
    """Return the variance of a normal distribution that is truncated at ``CUT`` standard deviations on both sides."""
    density = exp(-CUT * CUT / 2) / sqrt(2 * pi)
    kept = 1 - 2 * CUT * density / erf(CUT / sqrt(2))
    return kept * kernel.std**2


HE = Initialisation(
    name="he",
    title="He",
    variance=lambda kernel: gain_squared(kernel.activation) / kernel.fan_in,
    torch=_he,
    own=(),
)
GLOROT = Initialisation(
    name="glorot",
    title="Glorot",
    variance=lambda kernel: kernel.gain**2 * 2.0 / sum(kernel.torch_fans),
    torch=lambda kernel: call("xavier_uniform_", **_gain(kernel)),
    own=(GAIN,),
)
ORTHOGONAL = Initialisation(
    name="orthogonal",
    title="orthogonal",
    variance=lambda kernel: kernel.gain**2 / max(kernel.fan_in, kernel.fan_out),
    torch=lambda kernel: call("orthogonal_", **_gain(kernel)),
    own=(GAIN,),
)
NORMAL = Initialisation(
    name="normal",
    title="normal",
    variance=lambda kernel: kernel.std**2,
    torch=lambda kernel: call("normal_", std=kernel.std),
    own=(STD,),
)
TRUNCATED_NORMAL = Initialisation(
    name="truncated_normal",
    title="truncated normal",
    variance=_truncated_variance,
    torch=lambda kernel: call("trunc_normal_", std=kernel.std, a=-CUT * kernel.std, b=CUT * kernel.std),
    own=(STD,),
)
TORCH = Initialisation(
    name="torch",
    title="PyTorch's default",
    variance=lambda kernel: 1.0 / (3.0 * kernel.torch_fans[0]),
    torch=None,
    own=(),
)

INITIALISATIONS = Words(__name__, Initialisation)
OPTIONS = (STD, GAIN)
"""List the options that belong to specific initialisations."""
