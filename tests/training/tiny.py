"""A model of a few dozen weights, made by hand, and images that it can learn."""

import pytest
import torch
from torch import Tensor, nn

from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Optimizer, Train
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.training import checkpoints
from caedsl.training.parallel import processes


class TinyAutoencoder(nn.Module):
    """1x6x6 images, codes of 2x3x3; the interface of what the torch backend builds."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.bottleneck = nn.Sequential()
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.bottleneck(self.encoder(x)))


def tiny(seed: int = 0) -> TinyAutoencoder:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return TinyAutoencoder()


def blobs(count: int = 50) -> Tensor:
    """Return images with one bright quarter."""
    generator = torch.Generator().manual_seed(7)
    x = 0.2 * torch.rand(count, 1, 6, 6, generator=generator)
    for image, quarter in zip(x, torch.randint(0, 4, (count,), generator=generator).tolist(), strict=True):
        image[0, 3 * (quarter // 2) : 3 * (quarter // 2) + 3, 3 * (quarter % 2) : 3 * (quarter % 2) + 3] += 0.7
    return x


QUICK = Train(optimizer=Optimizer(lr=1e-2), batch=16, epochs=3, precision="fp32")


def always_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read losses and write a checkpoint at every step."""
    monkeypatch.setattr(processes, "SECONDS_BETWEEN_READS", -1.0)
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(checkpoints, "MOST_OF_THE_TIME", float("inf"))


def model_of(text: str) -> Autoencoder:
    """Return the model of a spec without errors."""
    source = Source(text)
    spec, syntax = parse(source)
    model, findings = resolve(spec, source)
    assert model is not None, syntax
    assert model.complete, [finding.message for finding in (*syntax, *findings)]
    return model
