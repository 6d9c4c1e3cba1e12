"""Initialisation of weights: ``init=auto|he|glorot|orthogonal|torch``.

``auto`` is He (2015, arXiv 1502.01852) for layers followed by a rectifier and Glorot (2010) otherwise, with zero biases.
PyTorch's own default has a sixth of He's variance (pytorch issue 15314), so that the signal fades in a deep stack of
rectifiers.
"""

from math import sqrt

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.weights import INIT


def scheme(layer: Layer) -> str:
    """Return ``he``, ``glorot``, ``orthogonal`` or ``torch``, with ``auto`` decided."""
    chosen = layer.options[INIT]
    if chosen != "auto":
        return chosen
    return "he" if layer.activation.function.rectifier else "glorot"


def gain_squared(layer: Layer) -> float:
    """Return He's factor on 1 / fan_in: 2 for rectifiers, 2 / (1 + slope²) for leaky ones, 1 where nothing rectifies."""
    leak = layer.activation.leak
    if leak is not None:
        return 2.0 / (1.0 + leak * leak)
    return 2.0 if layer.activation.function.rectifier else 1.0


def variance(layer: Layer) -> float:
    """Return Var(w) at the start, for a layer with weights.

    ``fan_in`` is the number of inputs that one output sums on average: a transposed convolution of stride s sums one in
    s of its taps along each axis.
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


def weight_call(layer: Layer) -> Call | None:
    """Return the function of ``torch.nn.init`` that starts the weight, without its tensor; None for PyTorch's default."""
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


def _kaiming(layer: Layer) -> Call:
    leak = layer.activation.leak
    if leak is not None:
        return call("kaiming_normal_", a=leak, nonlinearity="leaky_relu")
    rectifier = layer.activation.function.rectifier
    return call("kaiming_normal_", nonlinearity="relu" if rectifier else "linear")
