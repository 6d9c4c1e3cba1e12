"""Numbers that a GPU computes: losses, evaluation, and images wherever they come from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from caedsl.backends.torch.ssim import ssim_per_image
from caedsl.data.loading import load
from caedsl.evaluation.evaluated_run import train_and_evaluate
from caedsl.training.batches import Batches
from tests.training.tiny import model_of

CPU = torch.device("cpu")


@pytest.mark.parametrize("low", [0.0, 0.9, 0.99])
def test_the_gradient_of_ssim_is_that_of_64_bits(gpu: torch.device, low: float) -> None:
    generator = torch.Generator().manual_seed(0)
    y = low + (1 - low) * torch.rand(4, 3, 32, 32, dtype=torch.float64, generator=generator)
    x = (y + 0.01 * torch.randn(y.shape, dtype=y.dtype, generator=generator)).clamp(0, 1)
    gradients = []
    for device, dtype in ((gpu, torch.float32), (CPU, torch.float64)):
        seen = x.to(device, dtype).requires_grad_()
        ssim_per_image(seen, y.to(device, dtype), 1.0).sum().backward()
        assert seen.grad is not None
        gradients.append(seen.grad.to(CPU, torch.float64))
    difference = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    assert difference < 1e-5


def test_images_are_the_same_wherever_they_come_from(cuda: torch.device, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (70, 8, 10), dtype=np.uint8)
    np.save(tmp_path / "x.npy", array)
    model = model_of(f'autoencoder a; input 1x8x10; data npy "{tmp_path}/x.npy"; encoder {{ conv 2 }}; decoder mirror')
    held, streamed = load(model).train_pixels, load(model, memory=100).train_pixels
    assert held.at_hand
    assert not streamed.at_hand
    places = [Batches(held.on(cuda), device=cuda), Batches(held, device=cuda), Batches(streamed, device=cuda)]
    for batches in zip(*(place.shuffled(16, seed=1) for place in places), strict=True):
        assert all(batch.device.type == "cuda" and torch.equal(batch, batches[0]) for batch in batches)


def test_the_evaluation_has_the_digits_of_the_cpu(cuda: torch.device, tmp_path: Path) -> None:
    text = """
autoencoder small
input 1x8x8
data digits limit=200
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 6
decoder mirror
train { optimizer adam lr=1e-2; batch 20; epochs 2; precision fp32 }
"""
    found = [
        train_and_evaluate(model_of(text), spec_text=text, device=name, out=tmp_path / name).evaluation
        for name in ("cuda", "cpu")
    ]
    scores = [evaluation.model.scores for evaluation in found]
    assert scores[0].mse == pytest.approx(scores[1].mse, rel=1e-3)
    assert scores[0].ssim == pytest.approx(scores[1].ssim, abs=1e-3)
