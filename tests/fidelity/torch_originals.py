"""Originals written in PyTorch."""

import itertools

import torch
from torch import Tensor, nn

from tests.fidelity.pieces import Codec, Contrast, Side, Sum, Variational, conv, deconv


def xingyu() -> nn.Module:
    """Return a beginner's autoencoder."""
    return Codec(
        nn.Sequential(
            conv(1, 16, 3, 3), nn.ReLU(), nn.MaxPool2d(2, 2), conv(16, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(2, 1)
        ),
        nn.Sequential(
            deconv(8, 16, padding=0), nn.ReLU(), deconv(16, 8, 5, 3), nn.ReLU(), deconv(8, 1, 2, 2), nn.Tanh()
        ),
    )


def uva_cifar() -> nn.Module:
    """Return the autoencoder of the Amsterdam tutorials."""

    def gelu(*layers: nn.Module) -> list[nn.Module]:
        return [module for layer in layers for module in (layer, nn.GELU())]

    return Codec(
        nn.Sequential(
            *gelu(conv(3, 32, stride=2), conv(32, 32), conv(32, 64, stride=2), conv(64, 64), conv(64, 64, stride=2)),
            nn.Flatten(),
            nn.Linear(1024, 384),
        ),
        nn.Sequential(
            *gelu(nn.Linear(384, 1024)),
            nn.Unflatten(1, (64, 4, 4)),
            *gelu(deconv(64, 64, output_padding=1), conv(64, 64), deconv(64, 32, output_padding=1), conv(32, 32)),
            deconv(32, 3, output_padding=1),
            nn.Tanh(),
        ),
    )


def antixk_vanilla_vae() -> nn.Module:
    """Return the first of the variational autoencoders in AntixK's collection."""

    def normed(layer: nn.Module, channels: int) -> list[nn.Module]:
        return [layer, nn.BatchNorm2d(channels), nn.LeakyReLU()]

    widths = [3, 32, 64, 128, 256, 512]
    encoder = [m for a, b in itertools.pairwise(widths) for m in normed(conv(a, b, stride=2), b)]
    back = [512, 256, 128, 64, 32, 32]
    decoder = [m for a, b in itertools.pairwise(back) for m in normed(deconv(a, b, output_padding=1), b)]
    return Variational(
        nn.Sequential(*encoder, nn.Flatten()),
        Side([nn.Linear(2048, 128), nn.Linear(2048, 128)]),
        nn.Sequential(nn.Linear(128, 2048), nn.Unflatten(1, (512, 2, 2)), *decoder, conv(32, 3), nn.Tanh()),
    )


def antixk_capacity_vae() -> nn.Module:
    """Return the β-VAE of the same collection, whose layers are those of the first."""
    return antixk_vanilla_vae()


def pythae_mnist() -> nn.Module:
    """Return the convolutional nets for MNIST of pythae."""

    def normed(layer: nn.Module, channels: int) -> list[nn.Module]:
        return [layer, nn.BatchNorm2d(channels), nn.ReLU()]

    widths = [1, 128, 256, 512, 1024]
    encoder = [m for a, b in itertools.pairwise(widths) for m in normed(conv(a, b, 4, 2), b)]
    return Codec(
        nn.Sequential(*encoder, nn.Flatten(), nn.Linear(1024, 16)),
        nn.Sequential(
            nn.Linear(16, 16384),
            nn.Unflatten(1, (1024, 4, 4)),
            *normed(deconv(1024, 512), 512),
            *normed(deconv(512, 256, output_padding=1), 256),
            deconv(256, 1, output_padding=1),
            nn.Sigmoid(),
        ),
    )


def pythae_celeba_resnet() -> nn.Module:
    """Return the residual nets for CelebA of pythae."""

    def residual() -> nn.Module:
        return Sum(nn.Sequential(nn.ReLU(), conv(128, 32), nn.ReLU(), conv(32, 128, 1, padding=0)))

    return Codec(
        nn.Sequential(
            conv(3, 64, 4, 2),
            conv(64, 128, 4, 2),
            conv(128, 128, 3, 2),
            conv(128, 128, 3, 2),
            residual(),
            residual(),
            nn.Flatten(),
            nn.Linear(2048, 64),
        ),
        nn.Sequential(
            nn.Linear(64, 2048),
            nn.Unflatten(1, (128, 4, 4)),
            deconv(128, 128),
            residual(),
            residual(),
            deconv(128, 128, 5),
            nn.Sigmoid(),
            deconv(128, 64, 5, output_padding=1),
            deconv(64, 3, 4),
            nn.Sigmoid(),
        ),
    )


def monai_ae_3d() -> nn.Module:
    """Return MONAI's autoencoder with channels 2 4 8 and strides 2 2 2 in three dimensions."""

    def adn(channels: int) -> list[nn.Module]:
        return [nn.InstanceNorm3d(channels), nn.PReLU()]

    encoder = [m for a, b in ((1, 2), (2, 4), (4, 8)) for m in (nn.Conv3d(a, b, 3, 2, 1), *adn(b))]
    decoder = [m for a, b in ((8, 4), (4, 2)) for m in (nn.ConvTranspose3d(a, b, 3, 2, 1, 1), *adn(b))]
    return Codec(nn.Sequential(*encoder), nn.Sequential(*decoder, nn.ConvTranspose3d(2, 1, 3, 2, 1, 1)))


def deep_svdd_cifar() -> nn.Module:
    """Return the autoencoder of Deep SVDD for CIFAR-10, and what its images of cats go through before it."""

    def plain(channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels, eps=1e-4, affine=False), nn.LeakyReLU()]

    def wide(channels: int, filters: int) -> nn.Module:
        return nn.Conv2d(channels, filters, 5, padding=2, bias=False)

    def back(channels: int, filters: int) -> nn.Module:
        return nn.ConvTranspose2d(channels, filters, 5, padding=2, bias=False)

    encoder = [m for a, b in ((3, 32), (32, 64), (64, 128)) for m in (wide(a, b), *plain(b), nn.MaxPool2d(2))]
    decoder = [
        m for a, b in ((8, 128), (128, 64), (64, 32)) for m in (back(a, b), *plain(b), nn.Upsample(scale_factor=2))
    ]
    return Codec(
        nn.Sequential(
            Contrast(-10.599172931391799, 11.093187820377565),
            *encoder,
            nn.Flatten(),
            nn.Linear(2048, 128, bias=False),
            nn.BatchNorm1d(128, eps=1e-4, affine=False),
        ),
        nn.Sequential(nn.Unflatten(1, (8, 4, 4)), nn.LeakyReLU(), *decoder, back(32, 3), nn.Sigmoid()),
    )


def bolts_resnet18() -> nn.Module:
    """Return the residual autoencoder of 18 layers of Lightning Bolts, for images of 32x32."""

    def normed(channels: int, filters: int, kernel: int, stride: int = 1) -> list[nn.Module]:
        return [conv(channels, filters, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(filters)]

    def down(channels: int, filters: int, stride: int = 1) -> nn.Module:
        body = nn.Sequential(*normed(channels, filters, 3, stride), nn.ReLU(), *normed(filters, filters, 3))
        shortcut = nn.Sequential(*normed(channels, filters, 1, stride)) if stride > 1 else None
        return Sum(body, shortcut, nn.ReLU())

    def up(channels: int, filters: int, scale: int = 1) -> nn.Module:
        larger = [nn.Upsample(scale_factor=2)] if scale > 1 else []
        body = nn.Sequential(*normed(channels, channels, 3), nn.ReLU(), *larger, *normed(channels, filters, 3))
        shortcut = nn.Sequential(*larger, *normed(channels, filters, 1)) if scale > 1 else None
        return Sum(body, shortcut, nn.ReLU())

    encoder = [down(64, 64), down(64, 64)]
    for channels in (64, 128, 256):
        encoder += [down(channels, 2 * channels, 2), down(2 * channels, 2 * channels)]
    decoder = []
    for channels in (512, 256, 128):
        decoder += [up(channels, channels // 2, 2), up(channels // 2, channels // 2)]
    return Codec(
        nn.Sequential(
            *normed(3, 64, 3), nn.ReLU(), *encoder, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 256)
        ),
        nn.Sequential(
            nn.Linear(256, 8192),
            nn.Unflatten(1, (512, 4, 4)),
            *decoder,
            up(64, 64),
            up(64, 64),
            conv(64, 3, bias=False),
        ),
    )


class Noise2NoiseUNet(nn.Module):
    """U-Net of Noise2Noise, with weights of its own in each use of a block."""

    def __init__(self) -> None:
        super().__init__()

        def relu(*widths: int) -> list[nn.Module]:
            pairs = itertools.pairwise(widths)
            return [module for a, b in pairs for module in (conv(a, b), nn.ReLU())]

        self.down = nn.ModuleList(
            [
                nn.Sequential(*relu(3, 48, 48), nn.MaxPool2d(2)),
                *(nn.Sequential(*relu(48, 48), nn.MaxPool2d(2)) for _ in range(4)),
            ]
        )
        self.up = nn.ModuleList(
            [
                nn.Sequential(*relu(48, 48), deconv(48, 48, output_padding=1)),
                nn.Sequential(*relu(96, 96, 96), deconv(96, 96, output_padding=1)),
                *(nn.Sequential(*relu(144, 96, 96), deconv(96, 96, output_padding=1)) for _ in range(3)),
            ]
        )
        self.last = nn.Sequential(*relu(99, 64, 32), conv(32, 3), nn.LeakyReLU(0.1))

    def forward(self, x: Tensor) -> Tensor:
        kept = [x]
        for block in self.down:
            kept.append(block(kept[-1]))
        y = kept.pop()
        for block in self.up:
            y = torch.cat((block(y), kept.pop()), dim=1)
        made: Tensor = self.last(y)
        return made


def noise2noise_unet() -> nn.Module:
    """Return the U-Net of Noise2Noise."""
    return Noise2NoiseUNet()


def matlab_denoise() -> nn.Module:
    """Return MATLAB's denoiser of digits, which ends in a rectifier clipped at 1."""

    def relu(*layers: nn.Module) -> list[nn.Module]:
        return [module for layer in layers for module in (layer, nn.ReLU())]

    encoder = [m for a, b in ((1, 16), (16, 8), (8, 8)) for m in (*relu(conv(a, b)), nn.MaxPool2d(2))]
    decoder = relu(deconv(8, 8, 4), deconv(8, 8, 4), deconv(8, 16, 4))
    return Codec(nn.Sequential(*encoder), nn.Sequential(*decoder, conv(16, 1), nn.Hardtanh(0, 1)))
