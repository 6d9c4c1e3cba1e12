"""Holding images out for validation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.data.split import split_validation
from caedsl.data.stacks.pixels import Held
from caedsl.model.data import DataSource


def images(count: int) -> Images:
    return Images(Held(torch.zeros(count, 1, 1, 1)), None, None, None, (), DataSource("digits"), "digits", (), "")


@settings(deadline=None)
@given(st.integers(2, 300), st.floats(0.001, 0.999), st.integers(0, 2**31))
def test_every_image_is_on_one_side_and_no_side_is_empty(count: int, share: float, seed: int) -> None:
    train, validation = split_validation(images(count), share, seed)
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(count))
    assert len(train) >= 1
    assert len(validation) == min(count - 1, max(1, round(count * share)))
    assert train.equal(train.sort().values)


def test_the_seed_decides() -> None:
    first, again, other = (split_validation(images(100), 0.2, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first != list(range(20))


def test_no_share_holds_nothing_out() -> None:
    train, validation = split_validation(images(3), 0, 0)
    assert train.tolist() == [0, 1, 2]
    assert validation.tolist() == []


def test_one_image_cannot_be_on_both_sides() -> None:
    with pytest.raises(
        DataError, match=r"digits has only 1 image, but training and validation need one each: .* `validation 0`"
    ):
        split_validation(images(1), 0.1, 0)
