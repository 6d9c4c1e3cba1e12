"""How weights start: ``init=auto|he|glorot|orthogonal|torch``.

``auto`` is He (2015, arXiv 1502.01852) for layers followed by a rectifier and Glorot (2010) otherwise, with zero biases.
PyTorch's own default has a sixth of He's variance (pytorch issue 15314), so that a deep stack of rectifiers fades.
"""

from math import sqrt
from typing import TYPE_CHECKING

from caedsl.vocabulary.activations import Activation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import Option, Type

if TYPE_CHECKING:
    from caedsl.vocabulary.layer import Layer

OPTION = Option(
    "init",
    Type.CHOICE,
    "auto",
    "how weights start: He before rectifiers and Glorot elsewhere, with zero biases; `torch` is PyTorch's own default",
    choices=("auto", "he", "glorot", "orthogonal", "torch"),
)


def scheme(layer: "Layer") -> str:
    """``he``, ``glorot``, ``orthogonal`` or ``torch``, with ``auto`` decided."""
    chosen: str = layer.options["init"]
    if chosen != "auto":
        return chosen
    return "he" if layer.options["activation"].function.rectifier else "glorot"


def gain_squared(layer: "Layer") -> float:
    """He's factor on 1 / fan_in: 2 for rectifiers, 2 / (1 + slope²) for leaky ones, 1 where nothing rectifies."""
    leak = _leak(layer)
    if leak is not None:
        return 2.0 / (1.0 + leak * leak)
    return 2.0 if layer.options["activation"].function.rectifier else 1.0


def _leak(layer: "Layer") -> float | None:
    activation: Activation = layer.options["activation"]
    return activation.leak


def variance(layer: "Layer") -> float:
    """Var(w) at the start, for a layer with weights.

    ``fan_in`` is the number of inputs that one output sums on average: a transposed convolution of stride s sums k²/s² of
    its k² taps.
    """
    fan_in, fan_out = layer.kind.fans(layer)
    match scheme(layer):
        case "he":
            return gain_squared(layer) / fan_in
        case "glorot":
            return 2.0 / (layer.kind.weight_fans(layer)[0] + layer.kind.weight_fans(layer)[1])
        case "orthogonal":
            return 1.0 / max(fan_in, fan_out)
        case _:
            return 1.0 / (3.0 * layer.kind.weight_fans(layer)[0])


def weight_call(layer: "Layer") -> Call | None:
    """The function of ``torch.nn.init`` that starts the weight, its tensor left out; None for PyTorch's own default."""
    match scheme(layer):
        case "he" if layer.kind.fans(layer)[0] != layer.kind.weight_fans(layer)[0]:
            # torch counts the fan of a transposed convolution as if it were a plain one, so the deviation is given.
            return call("normal_", std=float(f"{sqrt(variance(layer)):.6g}"))
        case "he":
            return _kaiming(layer)
        case "glorot":
            return call("xavier_uniform_")
        case "orthogonal":
            return call("orthogonal_")
        case _:
            return None


def _kaiming(layer: "Layer") -> Call:
    leak = _leak(layer)
    if leak is not None:
        return call("kaiming_normal_", a=leak, nonlinearity="leaky_relu")
    rectifier = layer.options["activation"].function.rectifier
    return call("kaiming_normal_", nonlinearity="relu" if rectifier else "linear")
