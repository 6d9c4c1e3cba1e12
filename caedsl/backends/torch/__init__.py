"""The PyTorch backend: lowering to constructor calls, rendering them as source, instantiating them."""

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder, build
from caedsl.backends.torch.lower import Origin, Penalty, Program, lower
from caedsl.backends.torch.render import emit

__all__ = ["ConvolutionalAutoencoder", "Origin", "Penalty", "Program", "build", "emit", "lower"]
