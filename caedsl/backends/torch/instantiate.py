"""Build an ``nn.Module`` from a lowered program.

Tensors: x = samples (batch, channels, then space), z = codes (batch, then the code's shape).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.nn.utils.parametrizations import weight_norm

from caedsl.backends.torch.any_size import AcceptedSizes
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.modules import MODULES
from caedsl.backends.torch.program import JoinKept, Link, ModuleStep, Program
from caedsl.diagnostics.text import in_backticks
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.joining import Joining
from caedsl.vocabulary.shape import Shape, text


class ConvolutionalAutoencoder(nn.Module):
    """Module that an emitted file defines, built from the same program: the same ``state_dict`` keys and results."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.encoder = _part(program.encoder, program.encoder_links)
        self.bottleneck = _part(program.bottleneck, program.bottleneck_links)
        self.decoder = _part(program.decoder, program.decoder_links)
        self._program = program
        self._sizes: AcceptedSizes | None = None
        self.reset_parameters()
        for path in program.weight_normed:
            weight_norm(self.get_submodule(path))

    def reset_parameters(self) -> None:
        """Initialise weights and biases as the spec says; all others keep torch's default."""
        for start in self._program.initialisations:
            function = getattr(init, start.call.name)
            for path in start.paths:
                function(self.get_submodule(path).weight, *start.call.args, **dict(start.call.kwargs))
        for path in self._program.zero_biases:
            init.zeros_(self.get_parameter(f"{path}.bias"))

    @property
    def sizes(self) -> AcceptedSizes:
        """Sizes of samples that the module accepts."""
        if self._sizes is None:
            self._sizes = AcceptedSizes(
                self._program.shape,
                self._program.target,
                _Whole(self.encoder, self.bottleneck, self.decoder),
            )
        return self._sizes

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of samples; raise ``ValueError`` for a size that would not come back."""
        return self.encode_with_maps(x)[0]

    @property
    def linked(self) -> bool:
        """Whether some layer reads an output by its name, so that the parts are not plain chains."""
        return self._program.linked

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps that the decoder reads besides the code."""
        return self._program.maps

    def encode_with_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the codes of samples, and the maps that the decoder reads besides them."""
        # A module that is exported for several sizes must not be specialised to the size of the example.
        if not torch.compiler.is_compiling() and x.shape[1:] != self._program.shape:
            self._require(tuple(x.shape[1:]))
        kept: dict[str, Tensor] = {}
        code = self.bottleneck(self.encoder(x, kept), kept)
        return code, {name: kept[name] for name in self.maps}

    def _require(self, shape: Shape) -> None:
        if self.sizes.fit(shape):
            return
        own = text(self._program.shape)
        near = self.sizes.at_least(shape) if len(shape) == len(self._program.shape) else None
        remedy = f"{text(near)} would fit" if near is not None else f"resize them to {own}"
        raise ValueError(f"this model takes samples of {own}, and these are {text(shape)}: {remedy}")

    def decode(self, z: Tensor, maps: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the samples that codes decode to; ``maps`` are those that the decoder reads besides the code."""
        missing = [name for name in self.maps if maps is None or name not in maps]
        if missing:
            raise ValueError(
                f"the decoder reads {in_backticks(missing)} of the encoder besides the code, so a code alone does not "
                "determine a sample: give decode the maps that `encode_with_maps` returns"
            )
        samples: Tensor = self.decoder(z, dict(maps or {}))
        return samples

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions of samples, in the target's shape."""
        return self.decode(*self.encode_with_maps(x))


class Part(nn.Sequential):
    """Encoder, bottleneck or decoder: modules in sequence, between which ``links`` keep and join maps."""

    links: Sequence[Link] = ()

    def forward(self, x: Tensor, kept: dict[str, Tensor] | None = None) -> Tensor:
        """Return the output for ``x``; maps are added to ``kept`` and read from it by their names."""
        maps = {} if kept is None else kept
        place = 0
        for link in self.links:
            for i in range(place, link.place):
                x = self[i](x)
            place = link.place
            if isinstance(link, JoinKept):
                x = _joined(link.how, x, maps[link.name])
            elif link.call is None:
                maps[link.name] = x
            else:
                maps[link.name] = getattr(functional, link.call.name)(x, **dict(link.call.kwargs))[1]
        for i in range(place, len(self)):
            x = self[i](x)
        return x


class _Whole(nn.Module):
    """Encoder, bottleneck and decoder without a size check."""

    def __init__(self, encoder: Part, bottleneck: Part, decoder: Part) -> None:
        super().__init__()
        self.encoder, self.bottleneck, self.decoder = encoder, bottleneck, decoder

    def forward(self, x: Tensor) -> Tensor:
        kept: dict[str, Tensor] = {}
        samples: Tensor = self.decoder(self.bottleneck(self.encoder(x, kept), kept), kept)
        return samples


def _joined(how: Call | Joining, x: Tensor, kept: Tensor) -> Tensor:
    if how is Joining.SUM:
        return x + kept
    if how is Joining.PRODUCT:
        return x * kept
    if how is Joining.INSTEAD:
        return kept
    if isinstance(how, Joining):
        return torch.cat((x, kept) if how is Joining.BEHIND else (kept, x), dim=1)
    result: Tensor = getattr(functional, how.name)(x, kept, **dict(how.kwargs))
    return result


def _part(sequence: Sequence[ModuleStep], links: Sequence[Link]) -> Part:
    part = Part(*map(_module, sequence))
    part.links = links
    return part


def _sequential(sequence: Sequence[ModuleStep]) -> nn.Sequential:
    return nn.Sequential(*(_module(step) for step in sequence))


def _module(step: ModuleStep) -> nn.Module:
    branches = [_sequential(branch) for branch in step.branches]
    make = MODULES.get(step.call.name) or getattr(nn, step.call.name)
    module: nn.Module = make(*branches, *step.call.args, **dict(step.call.kwargs))
    return module


def build(model: Autoencoder) -> ConvolutionalAutoencoder:
    """Return the torch module of ``model``, initialised with torch's global random numbers."""
    return ConvolutionalAutoencoder(lower(model))
