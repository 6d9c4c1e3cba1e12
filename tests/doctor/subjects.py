"""Specs and images with a fault made on purpose, and healthy ones."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from caedsl.data.images import Images
from caedsl.data.stacks.pixels import Held
from caedsl.doctor.reading import of_model
from caedsl.doctor.subject import Subject
from caedsl.model.data import DataSource
from tests.training.tiny import model_of

HEALTHY = """autoencoder healthy
input 1x8x8 in 0..1
data digits
encoder { conv 8 relu; maxpool 2; conv 16 relu }
bottleneck dense 16
decoder { dense 64 relu; dense 64 sigmoid; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 20 }
"""


def digits(count: int = 600) -> Tensor:
    """Return real digits, N×1×8×8 in 0..1."""
    from sklearn.datasets import load_digits

    pixels = load_digits().images[:count].astype(np.float32) / 16
    return torch.from_numpy(pixels)[:, None]


def images(train: Tensor, test: Tensor | None = None, targets: Tensor | None = None) -> Images:
    """Return images as if they had been loaded."""
    return Images(
        train_pixels=Held(train),
        test_pixels=None if test is None else Held(test),
        labels=None,
        test_labels=None,
        class_names=(),
        source=DataSource("npy", "made"),
        name="made",
        notes=(),
        sha256="",
        train_targets=None if targets is None else Held(targets),
    )


def subject(
    text: str = HEALTHY,
    train: Tensor | None = None,
    test: Tensor | None = None,
    frozen: Sequence[str] = (),
    targets: Tensor | None = None,
) -> Subject:
    """Return a subject of that spec, with digits if no images are given."""
    given = images(digits() if train is None else train, test, targets)
    return of_model(model_of(text), images=given, device="cpu", frozen=frozen)
