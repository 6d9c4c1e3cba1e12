"""Generated signals and volumes."""

import numpy as np
import pytest
import torch

from caedsl.data.errors import DataError
from caedsl.data.readers import synthetic
from caedsl.model.data import InputRange
from caedsl.vocabulary.shape import Shape


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("heartbeats", (1, 96), ("normal", "ectopic", "elevated")), ("phantoms", (1, 8, 8, 8), ("normal", "lesion"))],
)
def test_drawn_samples_are_the_same_each_time_in_every_range(name: str, shape: Shape, classes, read) -> None:
    images, wide = read(name, shape=shape), read(name, shape=shape, range=InputRange(-1, 1))
    assert images.class_names == classes
    assert images.sha256 == wide.sha256
    torch.testing.assert_close(2 * images.train - 1, wide.train)
    assert images.notes == ()
    shares = np.bincount(images.labels) / len(images), np.bincount(images.test_labels) / len(images.test_pixels)
    assert shares[0][0] == pytest.approx(0.9, abs=0.02)
    assert shares[1][0] == pytest.approx(0.5, abs=0.06)
    assert 0 <= images.train.min() < 0.3
    assert 0.7 < images.train.max() <= 1
    normal = read(name, shape=shape, only="normal")
    assert torch.equal(normal.train, images.train[images.labels == 0])


def test_classes_differ_as_they_are_described(read) -> None:
    added = []
    for seed in range(20):
        normal, lesion = (
            synthetic._phantom(np.random.default_rng(seed), (16, 16, 16), kind) for kind in ("normal", "lesion")
        )
        added.append(lesion.mean() - normal.mean())
    sphere = 4 / 3 * np.pi * 0.2**3 / 2**3
    assert np.mean(added) == pytest.approx(0.3 * sphere, rel=0.5)
    beats = read("heartbeats", shape=(1, 288))
    means = [beats.train[beats.labels == kind].mean() for kind in range(3)]
    assert means[2] > means[0] + 0.01


def test_drawn_samples_have_one_channel_and_their_own_rank(read) -> None:
    with pytest.raises(DataError, match="so a signal has one channel, but the input is 2x96: write `input 1x96`"):
        read("heartbeats", shape=(2, 96))
    with pytest.raises(DataError, match="heartbeats contains signals, but the input 1x8x8 is for images"):
        read("heartbeats", shape=(1, 8, 8))
