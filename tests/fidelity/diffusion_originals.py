"""Autoencoders of latent diffusion, from the ``diffusers`` library."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.fidelity.pieces import Codec, Side, Sum, Variational, conv


class Attention(nn.Module):
    """Attention of one head between the positions of a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_key_value = Side([nn.Linear(channels, channels) for _ in range(3)])
        self.output = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.query_key_value(x.flatten(2).transpose(1, 2))
        weights = functional.softmax(query @ key.transpose(1, 2) / query.shape[2] ** 0.5, dim=2)
        mixed: Tensor = self.output(weights @ value)
        return mixed.transpose(1, 2).reshape(x.shape)


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(32, channels, eps=1e-6)


def _resnet(channels: int, filters: int) -> nn.Module:
    body = nn.Sequential(
        _norm(channels), nn.SiLU(), conv(channels, filters), _norm(filters), nn.SiLU(), conv(filters, filters)
    )
    return Sum(body, conv(channels, filters, 1, padding=0) if channels != filters else None)


def _resnets(channels: int, filters: int, count: int) -> list[nn.Module]:
    return [_resnet(channels, filters), *(_resnet(filters, filters) for _ in range(count - 1))]


def _middle() -> list[nn.Module]:
    return [_resnet(512, 512), Sum(nn.Sequential(_norm(512), Attention(512))), _resnet(512, 512)]


def _half(channels: int) -> list[nn.Module]:
    return [nn.ZeroPad2d((0, 1, 0, 1)), conv(channels, channels, stride=2, padding=0)]


def _double(channels: int) -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), conv(channels, channels)]


def autoencoder_kl() -> nn.Module:
    """Return the variational autoencoder of Stable Diffusion."""
    heads = Side([conv(8, 4, 1, padding=0), conv(8, 4, 1, padding=0)])  # both halves of `quant_conv`
    return Variational(
        nn.Sequential(
            conv(3, 128),
            *_resnets(128, 128, 2),
            *_half(128),
            *_resnets(128, 256, 2),
            *_half(256),
            *_resnets(256, 512, 2),
            *_half(512),
            *_resnets(512, 512, 2),
            *_middle(),
            _norm(512),
            nn.SiLU(),
            conv(512, 8),
        ),
        heads,
        nn.Sequential(
            conv(4, 4, 1, padding=0),
            conv(4, 512),
            *_middle(),
            *_resnets(512, 512, 3),
            *_double(512),
            *_resnets(512, 512, 3),
            *_double(512),
            *_resnets(512, 256, 3),
            *_double(256),
            *_resnets(256, 128, 3),
            _norm(128),
            nn.SiLU(),
            conv(128, 3),
        ),
    )


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def _tiny_block() -> nn.Module:
    body = nn.Sequential(conv(64, 64), nn.ReLU(), conv(64, 64), nn.ReLU(), conv(64, 64))
    return Sum(body, after=nn.ReLU())


def _tiny_blocks(count: int) -> list[nn.Module]:
    return [_tiny_block() for _ in range(count)]


def autoencoder_tiny() -> nn.Module:
    """Return TAESD, for images in 0..1."""
    encoder = [conv(3, 64), *_tiny_blocks(1)]
    decoder = [_Clamp(), conv(4, 64), nn.ReLU()]
    for _ in range(3):
        encoder += [conv(64, 64, stride=2, bias=False), *_tiny_blocks(3)]
        decoder += [*_tiny_blocks(3), nn.Upsample(scale_factor=2), conv(64, 64, bias=False)]
    return Codec(
        nn.Sequential(*encoder, conv(64, 4)),
        nn.Sequential(*decoder, *_tiny_blocks(1), conv(64, 3)),
    )
