"""Facts about the published sets, and the number of training images of a spec."""

import numpy as np
import pytest

from caedsl.facts.presets import image_variance, pixel_range, training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary import presets
from caedsl.vocabulary.sources import SOURCES
from tests.resolve.written import model as written


def model(data: str, train: str = "validation 10%", limits: str = "0..1") -> Autoencoder:
    return written(f"input 1x28x28 in {limits}\n{data}\ntrain {{ {train} }}")


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ("data mnist", 54_000),
        ("data mnist only=1", 6_742 - 674),
        ('data mnist only="5"', 5_421 - 542),
        ("data mnist limit=15 else digits", 15 - 2),
        ("data fashion_mnist only=3 limit=10000", 5_400),
        ("data cifar10 gray", 45_000),
        ("data digits", 1_797 - 180),
        ('data folder "x/" limit=500', 450),
        ('data folder "x/"', None),
        ("", None),
    ],
)
def test_images_less_those_held_out(data: str, count: int | None) -> None:
    assert training_images(model(data)) == count


def test_all_images_where_none_are_held_out() -> None:
    assert training_images(model("data mnist", "validation 0")) == 60_000


def test_classes_add_up() -> None:
    published = [kind.preset for kind in SOURCES.values() if kind.preset is not None]
    assert all(sum(known.class_images) == known.images for known in published if known.class_images)
    assert all(sum(known.greys) == pytest.approx(1, abs=2e-3) for known in published if known.greys)
    assert len(published) > 3


def test_the_digits_are_as_measured() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = digits.images.reshape(len(digits.images), -1) / 16
    known = presets.DIGITS
    assert known.images == len(x)
    assert known.class_images == tuple((digits.target == label).sum() for label in range(10))
    assert known.greys == pytest.approx([(x == level / 16).mean() for level in range(17)], abs=1e-4)
    assert known.variance == pytest.approx(x.var(axis=0).mean(), abs=1e-4)
    coin = x.mean(axis=0) * (1 - x.mean(axis=0))
    x = (x - x.mean(axis=0))[:, coin > 0] / np.sqrt(coin[coin > 0])
    assert known.bernoulli_eigenvalue == pytest.approx(np.linalg.eigvalsh(np.cov(x.T)).max(), abs=0.01)


def test_integers_read_for_a_real_input_are_scaled() -> None:
    assert str(pixel_range(model("data mnist", limits="real"))) == "0..1"
    assert not pixel_range(model('data npy "x.npy"', limits="real")).bounded


def test_variance_grows_with_the_square_of_the_range() -> None:
    assert image_variance(model("data mnist", limits="-1..1")) == pytest.approx(4 * 0.0673)
    assert image_variance(model('data folder "x/"')) == pytest.approx(1 / 12)
