"""Initialisation of the weights of a layer.

``auto`` is He (2015, arXiv 1502.01852) before a rectifier and Glorot (2010) otherwise, with zero biases. PyTorch's
default has a sixth of He's variance (pytorch issue 15314), so the signal fades in a deep stack of rectifiers.
"""

from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.initialisations import AUTO, GAIN, GLOROT, HE, INITIALISATIONS, STD, Initialisation, Kernel
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer import Layer


def scheme(layer: Layer) -> Initialisation:
    """Return the initialisation of a layer with weights, with ``auto`` resolved."""
    chosen = layer.options[INIT]
    if chosen != AUTO:
        return INITIALISATIONS[chosen]
    return HE if _activation(layer).function.rectifier else GLOROT


def _activation(layer: Layer) -> Activation:
    """Return the activation on the line, or the one on its own line after it."""
    return layer.followed_by if layer.activation == LINEAR else layer.activation


def _kernel(layer: Layer) -> Kernel:
    fan_in, fan_out = layer.kind.fans(layer)
    options = layer.options
    return Kernel(fan_in, fan_out, layer.kind.weight_fans(layer), _activation(layer), options[STD], options[GAIN])


def variance(layer: Layer) -> float:
    """Return the initial Var(w) of a layer with weights."""
    return scheme(layer).variance(_kernel(layer))


def weight_call(layer: Layer) -> Call | None:
    """Return the function of ``torch.nn.init`` that initialises the weight, or None for PyTorch's default."""
    start = scheme(layer).torch
    return None if start is None else start(_kernel(layer))
