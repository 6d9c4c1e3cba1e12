"""Published U-Nets with transposed convolutions and instance normalisation, and with gated skips."""

import itertools

import torch
from torch import Tensor, nn

from tests.fidelity.pieces import conv


def _instance(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(channels), nn.LeakyReLU(0.2)]


def _batch(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(channels), nn.ReLU()]


def _leaky(channels: int, filters: int) -> nn.Module:
    ways = ((channels, filters), (filters, filters))
    return nn.Sequential(*(m for a, b in ways for m in _instance(conv(a, b, bias=False), b)))


def _double(channels: int, filters: int) -> nn.Module:
    return nn.Sequential(*_batch(conv(channels, filters), filters), *_batch(conv(filters, filters), filters))


class _Level(nn.Module):
    """One level of the decoder: a transposed convolution, then the skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.grow = nn.Sequential(*_instance(nn.ConvTranspose2d(2 * width, width, 2, 2, bias=False), width))
        self.block = _leaky(2 * width, width)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        made: Tensor = self.block(torch.cat([self.grow(x), skip], dim=1))
        return made


class _FastMri(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(_leaky(a, b) for a, b in itertools.pairwise((1, 8, 16, 32, 64)))
        self.middle = _leaky(64, 128)
        self.up = nn.ModuleList(_Level(width) for width in (64, 32, 16, 8))
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for block in self.down:
            kept.append(block(x))
            x = nn.functional.avg_pool2d(kept[-1], 2)
        x = self.middle(x)
        for level in self.up:
            x = level(x, kept.pop())
        made: Tensor = self.last(x)
        return made


def fastmri_unet() -> nn.Module:
    """Return the U-Net of fastMRI with 8 channels."""
    return _FastMri()


class _Gated(nn.Module):
    """One level of the decoder: the skip is weighted by a gate of itself and of the enlarged map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.grow = nn.Sequential(nn.Upsample(scale_factor=2), *_batch(conv(2 * width, width), width))
        self.query = nn.Sequential(nn.Conv2d(width, half, 1), nn.BatchNorm2d(half))
        self.key = nn.Sequential(nn.Conv2d(width, half, 1), nn.BatchNorm2d(half))
        self.gate = nn.Sequential(nn.Conv2d(half, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())
        self.block = _double(2 * width, width)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.grow(x)
        weighted = skip * self.gate(torch.relu(self.query(x) + self.key(skip)))
        made: Tensor = self.block(torch.cat([weighted, x], dim=1))
        return made


class _AttentionUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([_double(3, 8), _double(8, 16), _double(16, 32)])
        self.up = nn.ModuleList([_Gated(16), _Gated(8)])
        self.last = nn.Conv2d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = [self.down[0](x)]
        for block in self.down[1:]:
            kept.append(block(nn.functional.max_pool2d(kept[-1], 2)))
        x = kept.pop()
        for level in self.up:
            x = level(x, kept.pop())
        made: Tensor = self.last(x)
        return made


def attention_unet() -> nn.Module:
    """Return the attention U-Net, an eighth as wide and with two levels fewer."""
    return _AttentionUNet()
