"""Originals written in Keras."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.fidelity.pieces import Codec, SameConv, SameDeconv, Side, Sum, Variational


def keras_blog() -> nn.Module:
    """Return the convolutional autoencoder of the Keras blog."""

    def same(channels: int, filters: int) -> list[nn.Module]:
        return [SameConv(2, channels, filters, 3), nn.ReLU()]

    return Codec(
        nn.Sequential(
            *same(1, 16), nn.MaxPool2d(2), *same(16, 8), nn.MaxPool2d(2), *same(8, 8), nn.MaxPool2d(2, ceil_mode=True)
        ),
        nn.Sequential(
            *same(8, 8),
            nn.Upsample(scale_factor=2),
            *same(8, 8),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            SameConv(2, 16, 1, 3),
            nn.Sigmoid(),
        ),
    )


def keras_io() -> nn.Module:
    """Return the denoising autoencoder of keras.io."""
    return Codec(
        nn.Sequential(
            SameConv(2, 1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), SameConv(2, 32, 32, 3), nn.ReLU(), nn.MaxPool2d(2)
        ),
        nn.Sequential(
            SameDeconv(2, 32, 32, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 32, 32, 3, 2),
            nn.ReLU(),
            SameConv(2, 32, 1, 3),
            nn.Sigmoid(),
        ),
    )


def keras_timeseries() -> nn.Module:
    """Return the anomaly detector for time series."""
    return Codec(
        nn.Sequential(SameConv(1, 1, 32, 7, 2), nn.ReLU(), nn.Dropout(0.2), SameConv(1, 32, 16, 7, 2), nn.ReLU()),
        nn.Sequential(
            SameDeconv(1, 16, 16, 7, 2),
            nn.ReLU(),
            nn.Dropout(0.2),
            SameDeconv(1, 16, 32, 7, 2),
            nn.ReLU(),
            SameDeconv(1, 32, 1, 7),
        ),
    )


def keras_vae() -> nn.Module:
    """Return the variational autoencoder of keras.io."""
    return Variational(
        nn.Sequential(
            SameConv(2, 1, 32, 3, 2),
            nn.ReLU(),
            SameConv(2, 32, 64, 3, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(3136, 16),
            nn.ReLU(),
        ),
        Side([nn.Linear(16, 2), nn.Linear(16, 2)]),
        nn.Sequential(
            nn.Linear(2, 3136),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            SameDeconv(2, 64, 64, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 64, 32, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 32, 1, 3),
            nn.Sigmoid(),
        ),
    )


def keras_mnist_denoise() -> nn.Module:
    """Return Keras's denoising autoencoder with a dense code."""
    return Codec(
        nn.Sequential(
            SameConv(2, 1, 32, 3, 2), nn.ReLU(), SameConv(2, 32, 64, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 16)
        ),
        nn.Sequential(
            nn.Linear(16, 3136),
            nn.Unflatten(1, (64, 7, 7)),
            SameDeconv(2, 64, 64, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 64, 32, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 32, 1, 3),
            nn.Sigmoid(),
        ),
    )


def world_models() -> nn.Module:
    """Return the vision of World Models, written in TensorFlow."""
    down = [m for a, b in pairwise((3, 32, 64, 128, 256)) for m in (nn.Conv2d(a, b, 4, 2), nn.ReLU())]
    ways = ((1024, 128, 5), (128, 64, 5), (64, 32, 6))
    up = [m for a, b, kernel in ways for m in (nn.ConvTranspose2d(a, b, kernel, 2), nn.ReLU())]
    return Variational(
        nn.Sequential(*down, nn.Flatten()),
        Side([nn.Linear(1024, 32), nn.Linear(1024, 32)]),
        nn.Sequential(
            nn.Linear(32, 1024), nn.Unflatten(1, (1024, 1, 1)), *up, nn.ConvTranspose2d(32, 3, 6, 2), nn.Sigmoid()
        ),
    )


def tf_denoise() -> nn.Module:
    """Return the denoising autoencoder of TensorFlow's tutorial."""
    return Codec(
        nn.Sequential(SameConv(2, 1, 16, 3, 2), nn.ReLU(), SameConv(2, 16, 8, 3, 2), nn.ReLU()),
        nn.Sequential(
            SameDeconv(2, 8, 8, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 8, 16, 3, 2),
            nn.ReLU(),
            SameConv(2, 16, 1, 3),
            nn.Sigmoid(),
        ),
    )


def mvtec_ssim() -> nn.Module:
    """Return the detector of defects in textures."""

    def leaky(*layers: nn.Module) -> list[nn.Module]:
        return [module for layer in layers for module in (layer, nn.LeakyReLU(0.2))]

    return Codec(
        nn.Sequential(
            *leaky(
                SameConv(2, 3, 32, 4, 2),
                SameConv(2, 32, 32, 4, 2),
                SameConv(2, 32, 32, 3),
                SameConv(2, 32, 64, 4, 2),
                SameConv(2, 64, 64, 3),
                SameConv(2, 64, 128, 4, 2),
                SameConv(2, 128, 64, 3),
                SameConv(2, 64, 32, 3),
            ),
            nn.Conv2d(32, 100, 8),
        ),
        nn.Sequential(
            *leaky(
                nn.ConvTranspose2d(100, 32, 8),
                SameConv(2, 32, 64, 3),
                SameConv(2, 64, 128, 3),
                SameDeconv(2, 128, 64, 4, 2),
                SameConv(2, 64, 64, 3),
                SameDeconv(2, 64, 32, 4, 2),
                SameConv(2, 32, 32, 3),
                SameDeconv(2, 32, 32, 4, 2),
            ),
            SameDeconv(2, 32, 3, 4, 2),
            nn.Sigmoid(),
        ),
    )


def dcec() -> nn.Module:
    """Return the autoencoder of deep convolutional embedded clustering."""
    return Codec(
        nn.Sequential(
            SameConv(2, 1, 32, 5, 2),
            nn.ReLU(),
            SameConv(2, 32, 64, 5, 2),
            nn.ReLU(),
            nn.Conv2d(64, 128, 3, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(1152, 10),
        ),
        nn.Sequential(
            nn.Linear(10, 1152),
            nn.ReLU(),
            nn.Unflatten(1, (128, 3, 3)),
            nn.ConvTranspose2d(128, 64, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 64, 32, 5, 2),
            nn.ReLU(),
            SameDeconv(2, 32, 1, 5, 2),
        ),
    )


class _WhatWhere(nn.Module):
    """Stacked What-Where autoencoder: each map comes back at the places where the maxima of its twin were."""

    def __init__(self) -> None:
        super().__init__()

        def features(channels: int, filters: int) -> nn.Module:
            body = [
                module
                for _ in range(2)
                for module in (nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU(), SameConv(2, filters, filters, 3))
            ]
            return nn.Sequential(SameConv(2, channels, filters, 3), Sum(nn.Sequential(*body)))

        widths = [1, 8, 16, 32, 64, 128]
        self.down = nn.ModuleList([features(a, b) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([features(a, b) for a, b in pairwise(reversed(widths))])

    def forward(self, x: Tensor) -> Tensor:
        switches = []
        for block in self.down:
            before = block(x)
            x = functional.max_pool2d(before, 2)
            switches.append(before == functional.interpolate(x, scale_factor=2))
        for block in self.up:
            x = block(functional.interpolate(x, scale_factor=2) * switches.pop())
        return torch.clamp(0.2 * x + 0.5, 0, 1)


def swwae() -> nn.Module:
    """Return the stacked What-Where autoencoder of Keras's examples, with pools of 2."""
    return _WhatWhere()


class _VectorQuantizer(nn.Module):
    """Codebook of keras.io: the nearest vector at every place."""

    def __init__(self, vectors: int, channels: int) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.empty(vectors, channels).uniform_(-0.05, 0.05))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1)
        distances = (flat[..., None, :] - self.embeddings).square().sum(-1)
        return self.embeddings[distances.argmin(-1)].permute(0, 3, 1, 2)


def keras_vqvae() -> nn.Module:
    """Return the autoencoder with a codebook of keras.io."""
    return Codec(
        nn.Sequential(
            SameConv(2, 1, 32, 3, 2),
            nn.ReLU(),
            SameConv(2, 32, 64, 3, 2),
            nn.ReLU(),
            nn.Conv2d(64, 16, 1),
            _VectorQuantizer(128, 16),
        ),
        nn.Sequential(
            SameDeconv(2, 16, 64, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 64, 32, 3, 2),
            nn.ReLU(),
            SameDeconv(2, 32, 1, 3),
        ),
    )
