"""Corruption of a denoiser's input."""

import pytest
import torch

from caedsl.backends.torch.draws import Draws
from caedsl.data.corruption import corrupt
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt

REAL = InputRange(None, None)
RANGES = pytest.mark.parametrize("range", [InputRange(), InputRange(-1, 1), InputRange(0, 255), REAL], ids=str)
KINDS = pytest.mark.parametrize(
    "settings",
    [
        Corrupt({"gaussian": 0.3}),
        Corrupt({"masking": 0.5}),
        Corrupt({"saltpepper": 0.2}),
        Corrupt({"gaussian": 0.3, "masking": 0.2, "saltpepper": 0.1}),
        Corrupt({"gaussian": (0.1, 0.3), "saltpepper": (0.1, 0.2)}),
        Corrupt({"mean": (-0.2, 0.2), "gaussian": 0.3}),
    ],
    ids=str,
)


def seeded(seed: int = 0, count: int = 4) -> Draws:
    return Draws(seed).begin(0, count)


def grey(range: InputRange, channels: int = 1) -> torch.Tensor:
    """Return images at the middle of the range."""
    middle = 0.5 if range.low is None or range.high is None else (range.low + range.high) / 2
    return torch.full((4, channels, 100, 100), middle)


@RANGES
@KINDS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_clean_image_the_type_and_the_range_are_kept(settings: Corrupt, range: InputRange, dtype) -> None:
    clean = grey(range).to(dtype)
    before = clean.clone()
    seen = corrupt(clean, settings, range, seeded())
    assert torch.equal(clean, before)
    assert (seen.dtype, seen.shape) == (clean.dtype, clean.shape)
    assert not torch.equal(seen, clean)
    if range.low is not None and range.high is not None:
        assert range.low <= seen.min() <= seen.max() <= range.high


@KINDS
def test_the_seed_decides(settings: Corrupt) -> None:
    first, again, other = (corrupt(grey(REAL), settings, REAL, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@RANGES
def test_noise_is_in_widths_of_the_range(range: InputRange) -> None:
    seen = corrupt(grey(range), Corrupt({"gaussian": 0.05}), range, seeded()) - grey(range)
    width = 1 if range.low is None or range.high is None else range.high - range.low
    assert seen.std() / width == pytest.approx(0.05, rel=0.03)
    assert seen.mean() / width == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize(("name", "range"), [("gaussian", REAL), ("awgn", REAL), ("awgn", InputRange())])
def test_noise_is_not_clipped_without_a_range_or_as_awgn(name: str, range: InputRange) -> None:
    seen = corrupt(torch.zeros(1, 1, 100, 100), Corrupt({name: 3}), range, seeded(count=1))
    assert seen.std() == pytest.approx(3, rel=0.03)
    assert seen.min() < -6


@RANGES
def test_the_mean_shifts_the_noise_in_widths_of_the_range(range: InputRange) -> None:
    seen = corrupt(grey(range), Corrupt({"mean": -0.1, "gaussian": 0.05}), range, seeded()) - grey(range)
    width = 1 if range.low is None or range.high is None else range.high - range.low
    assert seen.std() / width == pytest.approx(0.05, rel=0.03)
    assert seen.mean() / width == pytest.approx(-0.1, abs=0.002)


def test_only_the_sum_of_the_mean_and_the_noise_is_clipped() -> None:
    ones = torch.ones(1, 1, 100, 100)
    seen = corrupt(ones, Corrupt({"mean": 0.5, "gaussian": 0.5}), InputRange(), seeded(count=1))
    assert (seen < 1).float().mean() == pytest.approx(0.159, abs=0.015)  # noise below minus one deviation


def test_each_sample_draws_its_amount_from_a_range() -> None:
    samples = torch.zeros(400, 1, 60, 60)
    seen = corrupt(samples, Corrupt({"awgn": (0.1, 0.5), "masking": (0.0, 0.4)}), InputRange(), seeded(count=400))
    masked = (seen == 0).flatten(1)
    shares = masked.double().mean(1)
    levels = (seen.flatten(1).square().sum(1) / (~masked).sum(1)).sqrt().double()
    for drawn, low, high in ((levels, 0.1, 0.5), (shares, 0.0, 0.4)):
        assert drawn.sort().values == pytest.approx(torch.linspace(low, high, 400).tolist(), abs=0.06)
    assert torch.stack((levels, shares)).corrcoef()[0, 1].abs() < 0.15


@RANGES
def test_masking_sets_its_share_of_the_pixels_to_the_low_end(range: InputRange) -> None:
    seen = corrupt(grey(range, channels=3), Corrupt({"masking": 0.3}), range, seeded())
    masked = seen == (0 if range.low is None else range.low)
    assert masked.float().mean() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(masked.all(1), masked.any(1))
    assert torch.equal(seen[~masked], grey(range, 3)[~masked])


@RANGES
def test_salt_and_pepper_are_half_each(range: InputRange) -> None:
    seen = corrupt(grey(range, channels=3), Corrupt({"saltpepper": 0.2}), range, seeded())
    pepper, salt = (-3, 3) if range.low is None else (range.low, range.high)
    assert (seen == pepper).float().mean() == pytest.approx(0.1, abs=0.015)
    assert (seen == salt).float().mean() == pytest.approx(0.1, abs=0.015)
    assert torch.equal((seen == salt).all(1), (seen == salt).any(1))


def test_everything_can_be_masked_and_nothing() -> None:
    assert not corrupt(grey(InputRange()), Corrupt({"masking": 1.0}), InputRange(), seeded()).any()
    assert torch.equal(corrupt(grey(REAL), Corrupt(), REAL, seeded()), grey(REAL))


@pytest.mark.parametrize(("shape", "share"), [((2, 40), 0.25), ((1, 16, 24), 0.25), ((1, 8, 8, 8), 0.125)])
def test_a_hole_is_one_box_of_its_share_anywhere_in_the_sample(shape: tuple[int, ...], share: float) -> None:
    samples = torch.ones(300, *shape)
    seen = corrupt(samples, Corrupt({"hole": share}), InputRange(), seeded(count=len(samples)))
    cut = seen == 0
    assert torch.equal(cut, cut[:, :1].expand_as(cut))
    assert (cut.flatten(1).float().mean(1) == share).all()
    for axis in range(2, seen.dim()):
        rows = cut[:, 0].movedim(axis - 1, 1).reshape(len(cut), shape[axis - 1], -1).any(2)
        assert (rows.int().diff(dim=1).clamp(min=0).sum(1) + rows[:, 0].int() == 1).all()
        assert rows.any(0).all()  # no place is spared
