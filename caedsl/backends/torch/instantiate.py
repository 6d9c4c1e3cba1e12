"""Build an ``nn.Module`` from a lowered program.

Tensors: x = samples (batch, channels, then space), z = codes (batch, then the code's shape).
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import init

from caedsl.backends.torch.any_size import Sizes
from caedsl.backends.torch.lower import Program, Step, lower
from caedsl.backends.torch.modules import MODULES
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import Shape, text


class ConvolutionalAutoencoder(nn.Module):
    """Module that an emitted file defines, made from the same program: the same ``state_dict`` keys and numbers."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.encoder = _sequential(program.encoder)
        self.bottleneck = _sequential(program.bottleneck)
        self.decoder = _sequential(program.decoder)
        self._program = program
        self._sizes: Sizes | None = None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise weights and biases as the spec says; the others keep torch's default."""
        for start in self._program.starts:
            function = getattr(init, start.call.name)
            for path in start.paths:
                function(self.get_submodule(path).weight, *start.call.args, **dict(start.call.kwargs))
        for path in self._program.zero_biases:
            init.zeros_(self.get_parameter(f"{path}.bias"))

    @property
    def sizes(self) -> Sizes:
        """Sizes of samples that the module takes."""
        if self._sizes is None:
            self._sizes = Sizes(self._program.shape, self.encoder, self.bottleneck, self.decoder)
        return self._sizes

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of samples; ``ValueError`` for a size that would not come back."""
        if x.shape[1:] != self._program.shape:
            self._require(tuple(x.shape[1:]))
        code: Tensor = self.bottleneck(self.encoder(x))
        return code

    def _require(self, shape: Shape) -> None:
        if self.sizes.fit(shape):
            return
        own = text(self._program.shape)
        near = self.sizes.at_least(shape) if len(shape) == len(self._program.shape) else None
        remedy = f"{text(near)} would fit" if near is not None else f"resize them to {own}"
        raise ValueError(f"this model takes samples of {own}, and these are {text(shape)}: {remedy}")

    def decode(self, z: Tensor) -> Tensor:
        """Return the samples that codes stand for."""
        sample: Tensor = self.decoder(z)
        return sample

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions of samples, of the same shape."""
        return self.decode(self.encode(x))


def _sequential(sequence: Sequence[Step]) -> nn.Sequential:
    return nn.Sequential(*(_module(step) for step in sequence))


def _module(step: Step) -> nn.Module:
    branches = [_sequential(branch) for branch in step.branches]
    make = MODULES.get(step.call.name) or getattr(nn, step.call.name)
    module: nn.Module = make(*branches, *step.call.args, **dict(step.call.kwargs))
    return module


def build(model: Autoencoder) -> ConvolutionalAutoencoder:
    """Return the torch module of ``model``; its weights start from torch's global random numbers."""
    return ConvolutionalAutoencoder(lower(model))
