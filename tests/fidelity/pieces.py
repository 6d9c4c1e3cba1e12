"""Pieces of the originals: the paddings of Keras, residuals, and layers that are one layer in a spec."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class SameConv(nn.Module):
    """Convolution of TensorFlow with ``padding="same"``: an odd zero is at the end."""

    def __init__(self, rank: int, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        make = (nn.Conv1d, nn.Conv2d)[rank - 1]
        self.convolution = make(channels, filters, kernel, stride)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size in reversed(x.shape[2:]):
            total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
            pads += [total // 2, total - total // 2]
        padded: Tensor = self.convolution(functional.pad(x, pads))
        return padded


class SameDeconv(nn.Module):
    """Transposed convolution of TensorFlow with ``padding="same"``: the gradient of the convolution above."""

    def __init__(self, rank: int, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        make = (nn.ConvTranspose1d, nn.ConvTranspose2d)[rank - 1]
        self.convolution = make(channels, filters, kernel, stride)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.convolution(x)
        for axis, size in enumerate(x.shape[2:], start=2):
            before = max(self.kernel - self.stride, 0) // 2
            made = made.narrow(axis, before, size * self.stride)
        return made


class Sum(nn.Module):
    """The sum of two ways, and an activation of it."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.after = nn.Identity() if after is None else after

    def forward(self, x: Tensor) -> Tensor:
        summed: Tensor = self.after(self.body(x) + self.shortcut(x))
        return summed


class Side(nn.ModuleList):
    """Layers that read the same input and are one layer, with as many outputs, in a spec."""

    def tensors(self) -> list[Tensor]:
        """Return the weights, and the biases, one below the other."""
        return [torch.cat([layer.get_parameter(name) for layer in self]) for name in ("weight", "bias")]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(layer(x) for layer in self)


class Codec(nn.Module):
    """An original: an encoder and a decoder."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.decoder(self.encoder(x))
        return made


class Contrast(nn.Module):
    """Global contrast normalisation of one sample after the other, and two ends that become 0 and 1."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("width", torch.tensor(high - low))

    def forward(self, x: Tensor) -> Tensor:
        centred = [sample - torch.mean(sample) for sample in x]
        return (torch.stack([each / torch.mean(torch.abs(each)) for each in centred]) - self.low) / self.width


class Variational(nn.Module):
    """An original whose encoder ends in means and log-variances; it returns the reconstruction of the means."""

    def __init__(self, encoder: nn.Module, heads: Side, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = heads
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.decoder(self.heads(self.encoder(x))[0])
        return made


def tensors(module: nn.Module) -> Iterator[Tensor]:
    """Yield every weight and every running average in the order of computation."""
    if isinstance(module, Side):
        yield from module.tensors()
        return
    for name, value in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
        if name != "num_batches_tracked":
            yield value
    for child in module.children():
        yield from tensors(child)


def conv(
    channels: int, filters: int, kernel: int = 3, stride: int = 1, padding: int = 1, bias: bool = True
) -> nn.Conv2d:
    """Return a convolution with PyTorch's own padding."""
    return nn.Conv2d(channels, filters, kernel, stride, padding, bias=bias)


def deconv(
    channels: int, filters: int, kernel: int = 3, stride: int = 2, padding: int = 1, output_padding: int = 0
) -> nn.ConvTranspose2d:
    """Return a transposed convolution with PyTorch's own paddings."""
    return nn.ConvTranspose2d(channels, filters, kernel, stride, padding, output_padding)
