"""Losses and penalties against their definitions, computed by hand."""

import math

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim
from torch import nn
from torch.distributions import Normal
from torch.nn import functional

from caedsl.backends.torch import ssim
from caedsl.backends.torch.program import Penalty
from caedsl.backends.torch.ssim import (
    banded_products,
    contrast_and_ssim,
    convolution,
    gaussian_window,
    ssim_per_image,
    window_size,
)
from caedsl.model.settings import Loss, LossTerm
from caedsl.training.losses import reconstruction_terms, sum_of
from caedsl.training.objective import activity, weight_penalty
from caedsl.training.pixel_range import PixelRange
from caedsl.vocabulary.losses import LOSSES

UNIT = PixelRange(0.0, 1.0)


def reconstruction_loss(loss: Loss, prediction: torch.Tensor, target: torch.Tensor, pixels: PixelRange) -> torch.Tensor:
    return sum_of(list(reconstruction_terms(loss, prediction, target, pixels.width).values()))


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
    """Return the SSIM of two images H×W, computed window by window as in the paper."""
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


@pytest.mark.parametrize("shape", [(2, 1, 12), (2, 3, 12, 70), (1, 2, 8, 9, 10)])
def test_banded_products_filter_like_convolutions(shape: tuple[int, ...]) -> None:
    x, window = images(0, *shape).double(), torch.tensor([0.1, 0.2, 0.7], dtype=torch.float64)
    expected = x
    for axis in range(2, len(shape)):
        expected = convolution(expected, window, axis)
    torch.testing.assert_close(banded_products(x, window), expected)


@pytest.mark.parametrize("sides", [(12, 20), (12, 70), (70, 80)], ids=str)
def test_ssim_is_the_same_by_products_and_by_convolutions(
    sides: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    x = images(0, 3, 2, *sides).double()
    y = (x + 0.2 * images(1, 3, 2, *sides)).clamp(0, 1)
    found = []
    for largest in (0, 100):
        monkeypatch.setattr(ssim, "BANDED_SIDE", largest)
        found.append(ssim_per_image(x, y, 1.0))
    torch.testing.assert_close(*found)


def test_ssim_of_equal_images_is_one_even_where_they_are_one_pixel() -> None:
    for side in (1, 2, 28):
        x = images(0, 2, 1, side, side)
        assert ssim_per_image(x, x, 1.0).tolist() == pytest.approx([1, 1])
    assert window_size(2, 30) == 1
    assert gaussian_window(7, 1.0, torch.device("cpu")).sum().item() == pytest.approx(1)


def test_weight_penalties_are_those_of_keras() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3))
    penalties = [Penalty("0.weight", 0.0, 1e-2), Penalty("1.weight", 1e-3, 0.0)]
    first, second = module[0].weight.detach().double(), module[1].weight.detach().double()
    expected = 1e-2 * (first**2).sum() + 1e-3 * second.abs().sum()
    assert weight_penalty(module, penalties).item() == pytest.approx(expected.item(), rel=1e-5)
    assert weight_penalty(module, []).item() == 0


def test_the_activity_is_summed_over_a_code_and_averaged_over_the_batch() -> None:
    z = torch.tensor([[1.0, -2.0], [0.0, 5.0]])
    assert activity(z).item() == pytest.approx((3 + 5) / 2)


def test_a_range_without_ends_is_what_the_images_span() -> None:
    from caedsl.model.data import InputRange

    x = torch.tensor([-2.0, 0.0, 6.0])
    real = PixelRange.of(InputRange(None, None), x)
    assert (real.low, real.high, real.width, real.bounded) == (-2.0, 6.0, 8.0, False)
    assert real.to_unit(x).tolist() == [0.0, 0.25, 1.0]
    assert PixelRange.of(InputRange(None, None), torch.ones(3)).width == 1
    assert PixelRange.of(InputRange(-1.0, 1.0), x).to_unit(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]


def loss_with(terms: tuple[LossTerm, ...], y: torch.Tensor, x: torch.Tensor, **settings: object) -> float:
    return reconstruction_loss(Loss(terms, **settings), y, x, UNIT).item()  # type: ignore[arg-type]


def test_options_of_losses_are_those_of_their_definitions() -> None:
    y, x = images(0, 3, 2, 5, 4), images(1, 3, 2, 5, 4)
    p, t = y.double().numpy(), x.double().numpy()
    e = np.abs(p - t)
    logcosh = np.log(np.cosh(3 * e)).mean() / 3
    assert loss_with((LossTerm("logcosh", 1.0, {"alpha": 3.0}),), y, x) == pytest.approx(logcosh, rel=1e-5)
    huber = np.where(e < 0.1, e**2 / 2, 0.1 * (e - 0.05)).mean()
    assert loss_with((LossTerm("huber", 1.0, {"delta": 0.1}),), y, x) == pytest.approx(huber, rel=1e-6)
    charbonnier = (np.sqrt(e**2 + 0.2**2) - 0.2).mean()
    assert loss_with((LossTerm("charbonnier", 1.0, {"epsilon": 0.2}),), y, x) == pytest.approx(charbonnier, rel=1e-5)
    entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    focal = (e**3 * entropy).mean()
    assert loss_with((LossTerm("focal", 1.0, {"gamma": 3.0}),), y, x) == pytest.approx(focal, rel=1e-5)


@pytest.mark.parametrize("noise", [0.5, 1e-2, 1e-4])
def test_gaussian_is_the_likelihood_at_its_best_variance(noise: float) -> None:
    x = images(0, 3, 2, 5, 4).double()
    y = (x + noise * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).requires_grad_()
    least = torch.tensor(0.0025, dtype=torch.float64)
    deviation = (y - x).square().mean().sqrt().clamp(min=least)
    exact = -Normal(x, least).log_prob(x).mean()
    expected = -Normal(y, deviation).log_prob(x).mean() - exact
    loss = reconstruction_loss(Loss((LossTerm("gaussian"),)), y, x, UNIT)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    # The gradient is that of a fixed variance, since the variance is optimal.
    fixed = -Normal(y, deviation.detach()).log_prob(x).mean()
    torch.testing.assert_close(*(torch.autograd.grad(each, y)[0] for each in (loss, fixed)))
    assert loss_of("gaussian", x, x) == 0


def test_focal_loss_of_hard_targets_is_that_of_the_paper() -> None:
    y, x = images(0, 3, 1, 5, 4), images(1, 3, 1, 5, 4).round()
    right = np.where(x.numpy() == 1, y.double().numpy(), 1 - y.double().numpy())
    expected = (-((1 - right) ** 2) * np.log(right)).mean()
    assert loss_of("focal", y, x) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [name for name, kind in LOSSES.items() if kind.pixelwise])
def test_worst_counts_the_pixels_with_the_largest_loss(name: str) -> None:
    y, x = images(0, 3, 2, 4, 5), images(1, 3, 2, 4, 5)
    each = [
        loss_of(name, y[n : n + 1, c, h, w].view(1, 1, 1, 1), x[n : n + 1, c, h, w].view(1, 1, 1, 1))
        for n in range(3)
        for c in range(2)
        for h in range(4)
        for w in range(5)
    ]
    worst = np.sort(np.array(each).reshape(3, 40), axis=1)[:, -10:]
    assert loss_with((LossTerm(name),), y, x, worst=0.25) == pytest.approx(worst.mean(), rel=1e-4)
    summed = loss_with((LossTerm(name),), y, x, worst=0.25, reduction="sum")
    assert summed == pytest.approx(worst.sum() / 3, rel=1e-4)


@pytest.mark.parametrize(("height", "width"), [(180, 200), (177, 183)])
def test_ms_ssim_is_that_of_another_library(height: int, width: int) -> None:
    x = images(0, 2, 3, height, width)
    y = (x + 0.3 * images(1, 2, 3, height, width)).clamp(0, 1)
    assert 1 - loss_of("ms_ssim", y, x) == pytest.approx(ms_ssim(y, x, data_range=1.0).item(), abs=1e-5)


def test_ms_ssim_uses_the_scales_that_small_images_have() -> None:
    x = images(0, 2, 1, 28, 28)
    y = (x + 0.3 * images(1, 2, 1, 28, 28)).clamp(0, 1)
    first, second = 0.0448 / (0.0448 + 0.2856), 0.2856 / (0.0448 + 0.2856)
    contrast, _ = contrast_and_ssim(y, x, 1.0)
    halves = [functional.avg_pool2d(each, 2) for each in (y, x)]
    _, similarity = contrast_and_ssim(*halves, 1.0)
    expected = (contrast**first * similarity**second).mean().item()
    assert 1 - loss_of("ms_ssim", y, x) == pytest.approx(expected, abs=1e-5)
    assert loss_of("ms_ssim", x[..., :5, :5], x[..., :5, :5]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
@pytest.mark.parametrize("shape", [(2, 1, 40), (2, 1, 12, 13, 14)])
def test_structural_losses_have_every_rank(name: str, shape: tuple[int, ...]) -> None:
    x = images(0, *shape)
    assert loss_of(name, x, x) == pytest.approx(0, abs=1e-5)
    assert 0 < loss_of(name, (x + 0.3 * images(1, *shape)).clamp(0, 1), x) < 1


def test_ssim_of_a_signal_is_that_of_an_image_that_repeats_it() -> None:
    x, y = images(0, 2, 1, 40), images(1, 2, 1, 40)
    wide = [each.unsqueeze(2).expand(-1, -1, 40, -1) for each in (x, y)]
    assert ssim_per_image(x, y, 1.0).tolist() == pytest.approx(ssim_per_image(*wide, 1.0).tolist(), abs=1e-4)


@pytest.mark.parametrize("low", [0.0, 0.9, 0.99])
def test_the_gradient_of_ssim_keeps_its_digits_on_bright_images(low: float) -> None:
    generator = torch.Generator().manual_seed(0)
    y = low + (1 - low) * torch.rand(4, 3, 32, 32, dtype=torch.float64, generator=generator)
    x = (y + 0.01 * torch.randn(y.shape, dtype=y.dtype, generator=generator)).clamp(0, 1)
    gradients = []
    for dtype in (torch.float32, torch.float64):
        seen = x.to(dtype, copy=True).requires_grad_()
        ssim_per_image(seen, y.to(dtype), 1.0).sum().backward()
        assert seen.grad is not None
        gradients.append(seen.grad.double())
    assert (gradients[0] - gradients[1]).norm() / gradients[1].norm() < 1e-5
