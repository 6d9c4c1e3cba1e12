"""Published networks beyond the list of coverage: other paddings, joins, codes and targets."""

import itertools

import torch
from torch import Tensor, nn

from tests.fidelity.pieces import Codec, Side, Sum, Variational, conv, deconv


def _normed(layer: nn.Module, channels: int, after: nn.Module) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(channels), after]


def _double(channels: int, hidden: int, filters: int, bias: bool = True) -> list[nn.Module]:
    return [
        *_normed(conv(channels, hidden, bias=bias), hidden, nn.ReLU()),
        *_normed(conv(hidden, filters, bias=bias), filters, nn.ReLU()),
    ]


def chenjie_cifar() -> nn.Module:
    """Return a small autoencoder for CIFAR-10."""
    return Codec(
        nn.Sequential(*(m for a, b in ((3, 12), (12, 24), (24, 48)) for m in (conv(a, b, 4, 2), nn.ReLU()))),
        nn.Sequential(
            *(m for a, b in ((48, 24), (24, 12)) for m in (deconv(a, b, 4), nn.ReLU())), deconv(12, 3, 4), nn.Sigmoid()
        ),
    )


def pythae_cifar_vae() -> nn.Module:
    """Return the variational convolutional nets for CIFAR of pythae, a tenth as wide."""
    widths = [3, 12, 25, 51, 102]
    encoder = [m for a, b in itertools.pairwise(widths) for m in _normed(conv(a, b, 4, 2), b, nn.ReLU())]
    return Variational(
        nn.Sequential(*encoder, nn.Flatten()),
        Side([nn.Linear(408, 16), nn.Linear(408, 16)]),
        nn.Sequential(
            nn.Linear(16, 6528),
            nn.Unflatten(1, (102, 8, 8)),
            *_normed(deconv(102, 51, 4), 51, nn.ReLU()),
            *_normed(deconv(51, 25, 4, output_padding=1), 25, nn.ReLU()),
            deconv(25, 3, 4, 1, padding=2),
            nn.Sigmoid(),
        ),
    )


def konny_beta_vae() -> nn.Module:
    """Return the network of a well-known β-VAE, with the sigmoid that its loss applies."""

    def relu(*layers: nn.Module) -> list[nn.Module]:
        return [module for layer in layers for module in (layer, nn.ReLU())]

    down = [conv(a, b, 4, 2) for a, b in ((3, 32), (32, 32), (32, 64), (64, 64))]
    up = [deconv(256, 64, 4, 1, padding=0), deconv(64, 64, 4), deconv(64, 32, 4), deconv(32, 32, 4)]
    return Variational(
        nn.Sequential(*relu(*down, conv(64, 256, 4, padding=0)), nn.Flatten()),
        Side([nn.Linear(256, 10), nn.Linear(256, 10)]),
        nn.Sequential(
            nn.Linear(10, 256), nn.Unflatten(1, (256, 1, 1)), nn.ReLU(), *relu(*up), deconv(32, 3, 4), nn.Sigmoid()
        ),
    )


class Codebook(nn.Module):
    """The nearest vector at every place."""

    def __init__(self, vectors: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(vectors, channels).uniform_(-1 / vectors, 1 / vectors))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1)
        nearest = torch.cdist(flat.flatten(0, 2), self.embedding).argmin(1)
        return self.embedding[nearest].view(flat.shape).permute(0, 3, 1, 2)


def antixk_vq_vae() -> nn.Module:
    """Return the autoencoder with a codebook of AntixK's collection, whose code follows a rectifier."""

    def residual() -> nn.Module:
        body = [conv(512, 512, bias=False), nn.ReLU(), conv(512, 512, 1, padding=0, bias=False)]
        return Sum(nn.Sequential(*body))

    def leaky(layer: nn.Module, channels: int) -> list[nn.Module]:
        return _normed(layer, channels, nn.LeakyReLU())

    widths = [3, 32, 64, 128, 256, 512]
    encoder = [m for a, b in itertools.pairwise(widths) for m in leaky(conv(a, b, stride=2), b)]
    back = [512, 256, 128, 64, 32, 32]
    decoder = [m for a, b in itertools.pairwise(back) for m in leaky(deconv(a, b, output_padding=1), b)]
    return Codec(
        nn.Sequential(*encoder, residual(), *leaky(conv(512, 64, stride=2), 64), Codebook(512, 64)),
        nn.Sequential(*leaky(deconv(64, 512, output_padding=1), 512), residual(), *decoder, conv(32, 3), nn.Tanh()),
    )


class _InPlaceStack(nn.Module):
    """Residuals whose first rectifier works in place, so that it also changes what the sum adds."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(inplace=True),
                conv(128, 32, bias=False),
                nn.ReLU(inplace=True),
                conv(32, 128, 1, padding=0, bias=False),
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return torch.relu(x)


def zalando_vq_vae() -> nn.Module:
    """Return a well-known port of DeepMind's autoencoder with a codebook."""
    return Codec(
        nn.Sequential(
            conv(3, 64, 4, 2),
            nn.ReLU(),
            conv(64, 128, 4, 2),
            nn.ReLU(),
            conv(128, 128),
            _InPlaceStack(),
            conv(128, 64, 1, padding=0),
            Codebook(512, 64),
        ),
        nn.Sequential(conv(64, 128), _InPlaceStack(), deconv(128, 64, 4), nn.ReLU(), deconv(64, 3, 4)),
    )


def _aligned() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)


def draem_reconstructive() -> nn.Module:
    """Return the reconstructive network of DRAEM, an eighth as wide."""
    down = [m for a, b in ((3, 16), (16, 32), (32, 64), (64, 128)) for m in (*_double(a, b, b), nn.MaxPool2d(2))]
    up = [
        m
        for a, b in ((128, 64), (64, 32), (32, 16), (16, 16))
        for m in (_aligned(), *_normed(conv(a, a), a, nn.ReLU()), *_double(a, a, b))
    ]
    return Codec(nn.Sequential(*down, *_double(128, 128, 128)), nn.Sequential(*up, conv(16, 3)))


class _UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        ways = ((16, 32), (32, 64), (64, 128), (128, 128))
        self.first = nn.Sequential(*_double(3, 16, 16, bias=False))
        self.down = nn.ModuleList(nn.Sequential(nn.MaxPool2d(2), *_double(a, b, b, bias=False)) for a, b in ways)
        self.grow = _aligned()
        self.up = nn.ModuleList(
            nn.Sequential(*_double(a, a // 2, b, bias=False)) for a, b in ((256, 64), (128, 32), (64, 16), (32, 16))
        )
        self.last = conv(16, 3, 1, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        kept = [self.first(x)]
        for block in self.down:
            kept.append(block(kept[-1]))
        x = kept.pop()
        for block in self.up:
            x = block(torch.cat([kept.pop(), self.grow(x)], dim=1))
        made: Tensor = self.last(x)
        return made


def milesial_unet() -> nn.Module:
    """Return the best-known U-Net in PyTorch, with interpolation and a quarter as wide."""
    return _UNet()


class _Divisive(nn.Module):
    """Generalised divisive normalisation with CompressAI's lower bounds."""

    pedestal = 2.0**-36

    def __init__(self, channels: int, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter((torch.ones(channels) + self.pedestal).sqrt())
        self.gamma = nn.Parameter((0.1 * torch.eye(channels) + self.pedestal).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        beta = self.beta.clamp(min=(1e-6 + self.pedestal) ** 0.5).square() - self.pedestal
        gamma = self.gamma.clamp(min=self.pedestal**0.5).square() - self.pedestal
        mixture = torch.einsum("ij,bjhw->bihw", gamma, x.square()) + beta[:, None, None]
        return x * mixture.sqrt() if self.inverse else x / mixture.sqrt()


def compressai_factorized() -> nn.Module:
    """Return the transforms of the factorized-prior model of CompressAI, a quarter as wide."""

    def down(channels: int, filters: int) -> nn.Module:
        return conv(channels, filters, 5, 2, 2)

    def up(channels: int, filters: int) -> nn.Module:
        return deconv(channels, filters, 5, 2, 2, 1)

    analysis = [m for a, b in ((3, 32), (32, 32), (32, 32)) for m in (down(a, b), _Divisive(b))]
    synthesis = [m for a, b in ((48, 32), (32, 32), (32, 32)) for m in (up(a, b), _Divisive(b, inverse=True))]
    return Codec(nn.Sequential(*analysis, down(32, 48)), nn.Sequential(*synthesis, up(32, 3)))


def monai_var_autoencoder() -> nn.Module:
    """Return MONAI's variational autoencoder with channels 4 8, strides 2 2 and residual units of two convolutions."""

    def adn(channels: int) -> list[nn.Module]:
        return [nn.InstanceNorm2d(channels), nn.PReLU()]

    def unit(channels: int, filters: int, stride: int) -> nn.Module:
        body = [conv(channels, filters, stride=stride), *adn(filters), conv(filters, filters), *adn(filters)]
        return Sum(nn.Sequential(*body), conv(channels, filters, stride=stride) if stride > 1 else None)

    last = Sum(nn.Sequential(conv(1, 1), *adn(1), conv(1, 1)))
    return Variational(
        nn.Sequential(unit(1, 4, 2), unit(4, 8, 2), nn.Flatten()),
        Side([nn.Linear(392, 6), nn.Linear(392, 6)]),
        nn.Sequential(
            nn.Linear(6, 392),
            nn.ReLU(),
            nn.Unflatten(1, (8, 7, 7)),
            *(m for a, b in ((8, 4),) for m in (deconv(a, b, output_padding=1), *adn(b), unit(b, b, 1))),
            deconv(4, 1, output_padding=1),
            *adn(1),
            last,
            nn.Sigmoid(),
        ),
    )


class _RedNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        down = [conv(3, 64, stride=2), *(conv(64, 64) for _ in range(4))]
        up = [deconv(64, 64, stride=1) for _ in range(4)]
        self.body = nn.Sequential(*(m for layer in (*down, *up) for m in (layer, nn.ReLU())))
        self.last = deconv(64, 3, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.last(self.body(x)) + x)


def red_net() -> nn.Module:
    """Return the residual encoder-decoder of ten layers, which adds its input to its output."""
    return _RedNet()


def efficient_ad() -> nn.Module:
    """Return the autoencoder of EfficientAD, which predicts features of a teacher."""
    widths = [3, 32, 32, 64, 64, 64]
    encoder = [m for a, b in itertools.pairwise(widths) for m in (conv(a, b, 4, 2), nn.ReLU())]
    decoder: list[nn.Module] = []
    for side in (3, 8, 15, 32, 63, 127):
        decoder += [nn.Upsample((side, side), mode="bilinear"), conv(64, 64, 4, padding=2), nn.ReLU(), nn.Dropout(0.2)]
    decoder += [nn.Upsample((56, 56), mode="bilinear"), conv(64, 64), nn.ReLU(), conv(64, 384)]
    return Codec(nn.Sequential(*encoder, conv(64, 64, 8, padding=0)), nn.Sequential(*decoder))


def pytorch_super_resolution() -> nn.Module:
    """Return the network of PyTorch's example of super-resolution, for twice the size."""
    return nn.Sequential(
        conv(1, 64, 5, padding=2),
        nn.ReLU(),
        conv(64, 64),
        nn.ReLU(),
        conv(64, 32),
        nn.ReLU(),
        conv(32, 4),
        nn.PixelShuffle(2),
    )
