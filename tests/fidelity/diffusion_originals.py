"""Autoencoders of latent diffusion, from the ``diffusers`` library."""

from torch import Tensor, nn
from torch.nn import functional

from tests.fidelity.pieces import Side, Sum, Variational, conv


class Attention(nn.Module):
    """Attention of one head between the places of a map."""

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
    """The variational autoencoder of Stable Diffusion."""
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
