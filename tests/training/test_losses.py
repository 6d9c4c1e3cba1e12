"""Losses and penalties against their definitions, computed by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from caedsl.backends.torch.lower import Penalty
from caedsl.backends.torch.ssim import gaussian_window, ssim_per_image, window_size
from caedsl.model.settings import Loss, LossTerm
from caedsl.training.losses import reconstruction_loss
from caedsl.training.objective import code_penalty, weight_penalty
from caedsl.training.pixel_range import PixelRange
from caedsl.vocabulary.losses import LOSSES

UNIT = PixelRange(0.0, 1.0)


def images(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def loss_of(name: str, prediction: torch.Tensor, target: torch.Tensor, reduction: str = "mean") -> float:
    return reconstruction_loss(Loss((LossTerm(name),), reduction), prediction, target, UNIT).item()


def test_each_loss_is_its_definition() -> None:
    y, x = images(0, 3, 2, 5, 4), images(1, 3, 2, 5, 4)
    p, t = y.double().numpy(), x.double().numpy()
    assert loss_of("mse", y, x) == pytest.approx(((p - t) ** 2).mean(), rel=1e-6)
    assert loss_of("mae", y, x) == pytest.approx(np.abs(p - t).mean(), rel=1e-6)
    assert loss_of("huber", 4 * y, x) == pytest.approx(
        np.where(np.abs(4 * p - t) < 1, (4 * p - t) ** 2 / 2, np.abs(4 * p - t) - 0.5).mean(), rel=1e-6
    )
    assert loss_of("bce", y, x) == pytest.approx(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_sum_is_the_mean_times_the_pixels_of_an_image(name: str) -> None:
    y, x = images(0, 3, 2, 12, 13), images(1, 3, 2, 12, 13)
    assert loss_of(name, y, x, "sum") == pytest.approx(loss_of(name, y, x) * 2 * 12 * 13, rel=1e-5)


def test_a_weighted_sum_adds_its_terms() -> None:
    y, x = images(0, 2, 1, 12, 12), images(1, 2, 1, 12, 12)
    both = Loss((LossTerm("mse", 0.5), LossTerm("ssim", 0.2)))
    expected = 0.5 * loss_of("mse", y, x) + 0.2 * loss_of("ssim", y, x)
    assert reconstruction_loss(both, y, x, UNIT).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_computed_in_32_bits_under_autocast(name: str) -> None:
    y, x = images(0, 2, 1, 12, 12).bfloat16(), images(1, 2, 1, 12, 12)
    with torch.autocast("cpu", torch.bfloat16):
        loss = reconstruction_loss(Loss((LossTerm(name),)), y, x, UNIT)
    assert loss.dtype == torch.float32
    assert loss.item() == loss_of(name, y.float(), x)


def test_bce_is_finite_where_a_sigmoid_is_saturated_and_agrees_with_pytorch() -> None:
    logits = torch.tensor([[-200.0, 200.0, 0.3]]).view(1, 1, 1, 3).requires_grad_()
    target = torch.tensor([1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    loss = reconstruction_loss(Loss((LossTerm("bce"),)), logits.sigmoid(), target, UNIT)
    loss.backward()
    assert loss.item() == pytest.approx(functional.binary_cross_entropy(logits.sigmoid(), target).item())
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_prediction_that_is_no_number_gives_a_loss_that_is_none(name: str) -> None:
    prediction = images(0, 2, 1, 3, 3)
    prediction[1, 0, 2, 2] = math.nan
    assert math.isnan(loss_of(name, prediction, images(1, 2, 1, 3, 3)))


def direct_ssim(x: np.ndarray, y: np.ndarray, size: int, sigma: float, data_range: float) -> float:
    """SSIM of two images H×W, window by window, straight from the paper."""
    offsets = np.arange(size) - (size - 1) / 2
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * sigma**2))
    window /= window.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    values = []
    for top in range(x.shape[0] - size + 1):
        for left in range(x.shape[1] - size + 1):
            a, b = (z[top : top + size, left : left + size] for z in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            cov = (window * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return float(np.mean(values))


@pytest.mark.parametrize(
    ("height", "width", "size", "sigma"), [(16, 13, 11, 1.5), (8, 9, 7, 1.5 * 7 / 11), (3, 20, 3, 4.5 / 11)]
)
def test_ssim_is_that_of_the_paper_and_its_window_shrinks_with_the_image(
    height: int, width: int, size: int, sigma: float
) -> None:
    x = images(0, 2, 2, height, width)
    y = (x + 0.2 * images(1, 2, 2, height, width)) * 3
    found = ssim_per_image(3 * x, y, data_range=3.0)
    for image in range(2):
        channels = [
            direct_ssim(3 * x[image, c].double().numpy(), y[image, c].double().numpy(), size, sigma, 3.0)
            for c in (0, 1)
        ]
        assert found[image].item() == pytest.approx(np.mean(channels), abs=2e-5)


def test_ssim_of_equal_images_is_one_even_where_they_are_one_pixel() -> None:
    for side in (1, 2, 28):
        x = images(0, 2, 1, side, side)
        assert ssim_per_image(x, x, 1.0).tolist() == pytest.approx([1, 1])
    assert window_size(2, 30) == 1
    assert gaussian_window(7, 1.0).sum().item() == pytest.approx(1)


def test_weight_penalties_are_those_of_keras() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3))
    penalties = [Penalty("0.weight", 0.0, 1e-2), Penalty("1.weight", 1e-3, 0.0)]
    first, second = module[0].weight.detach().double(), module[1].weight.detach().double()
    expected = 1e-2 * (first**2).sum() + 1e-3 * second.abs().sum()
    assert weight_penalty(module, penalties).item() == pytest.approx(expected.item(), rel=1e-5)
    assert weight_penalty(module, []).item() == 0


def test_the_code_penalty_is_summed_over_a_code_and_averaged_over_the_batch() -> None:
    z = torch.tensor([[1.0, -2.0], [0.0, 5.0]])
    assert code_penalty(z, 0.1).item() == pytest.approx(0.1 * (3 + 5) / 2)


def test_a_range_without_ends_is_what_the_images_span() -> None:
    from caedsl.model.data import InputRange

    x = torch.tensor([-2.0, 0.0, 6.0])
    real = PixelRange.of(InputRange(None, None), x)
    assert (real.low, real.high, real.width, real.bounded) == (-2.0, 6.0, 8.0, False)
    assert real.to_unit(x).tolist() == [0.0, 0.25, 1.0]
    assert PixelRange.of(InputRange(None, None), torch.ones(3)).width == 1
    assert PixelRange.of(InputRange(-1.0, 1.0), x).to_unit(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]
