"""Conversion of images to the input's size and range."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from caedsl.data.sample_format import SampleFormat, centred, resized, scale_, to_gray
from caedsl.model.data import InputRange

SIDE = st.integers(1, 24)


def fit(height: int, width: int, resize: str = "stretch", range: InputRange = InputRange()) -> SampleFormat:
    return SampleFormat((1, height, width), range, False, resize)


@settings(max_examples=100, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(["stretch", "fit", "crop"]), st.integers(0, 1000))
def test_every_size_becomes_the_inputs_and_stays_within_its_values(h, w, height, width, resize, seed) -> None:
    x = torch.rand(2, 1, h, w, generator=torch.Generator().manual_seed(seed))
    y = resized(x, fit(height, width, resize))
    assert y.shape == (2, 1, height, width)
    low = 0 if resize == "fit" else x.min()
    assert low <= y.min() <= y.max() <= x.max()


@pytest.mark.parametrize("resize", ["stretch", "fit", "crop"])
def test_the_right_size_is_left_alone(resize: str) -> None:
    x = torch.rand(1, 1, 6, 5)
    assert resized(x, fit(6, 5, resize)) is x


def test_shrinking_averages_instead_of_leaving_pixels_out() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 1, 64, 64)
    small = resized(stripes.contiguous(), fit(8, 8))
    assert (small - 0.5).abs().max() < 0.05


def test_fit_pads_with_the_low_end() -> None:
    y = resized(torch.ones(1, 1, 4, 8), fit(8, 8, "fit", InputRange(-1, 1)))
    assert y[0, 0, :, 0].tolist() == [-1, -1, 1, 1, 1, 1, -1, -1]


def test_crop_keeps_the_middle() -> None:
    x = torch.arange(8.0).expand(1, 1, 4, 8).contiguous()
    assert resized(x, fit(4, 4, "crop"))[0, 0, 0].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("size", [3, 5, 6])
def test_the_middle_of_odd_and_even_sizes(size: int) -> None:
    y = centred(torch.ones(1, 4, 4), (size, size), fill=9)
    assert y.shape == (1, size, size)
    assert (y == 9).sum() == size**2 - min(size, 4) ** 2


@pytest.mark.parametrize("top", [1, 16, 255, 65535])
def test_scaling_is_exact_at_the_ends_and_keeps_bytes_in_their_own_range(top: int) -> None:
    values = torch.arange(top + 1.0)
    assert torch.equal(scale_(values.clone(), top, fit(1, 1, range=InputRange(0, 1))), values / top)
    assert torch.equal(scale_(values.clone(), top, fit(1, 1, range=InputRange(0, top))), values)
    both = scale_(values.clone(), top, fit(1, 1, range=InputRange(-1, 1)))
    assert (both[0], both[-1]) == (-1, 1)


@settings(deadline=None)
@given(st.floats(-100, 100, width=32), st.floats(0.125, 100, width=32), st.sampled_from([1, 16, 255, 65535]))
def test_scaling_never_leaves_the_range(low: float, width: float, top: int) -> None:
    x = scale_(torch.tensor([0.0, top / 3, top]), top, fit(1, 1, range=InputRange(low, low + width)))
    ends = torch.tensor([low, low + width])
    assert bool((x >= ends[0]).all() & (x <= ends[1]).all())
    torch.testing.assert_close(x[[0, 2]], ends)


def test_grey_of_white_is_white() -> None:
    assert to_gray(torch.ones(1, 3, 2, 2)).flatten().tolist() == pytest.approx([1] * 4)
