"""Data sets that a spec can name: their sizes, and measurements that need no training."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource, InputRange
from caedsl.vocabulary.shape import Shape


class Preset(NamedTuple):
    """Published data set.

    ``images`` is the number of training images, and ``class_images`` that of each class if they differ. ``greys`` is
    the share of their pixels at each of equally spaced levels from black to white, and ``variance`` their mean squared
    distance from the mean image, with pixels in 0..1. ``bce_floor`` is the entropy of the test images' pixels in nats,
    the least binary cross-entropy that any model reaches. ``unexplained`` maps a number of components to the share of
    the test images' variance that PCA, fitted on the training images, leaves. ``digits`` has only one part.
    """

    shape: Shape
    images: int
    class_images: tuple[int, ...] = ()
    greys: tuple[float, ...] = ()
    variance: float | None = None
    bce_floor: float | None = None
    unexplained: Mapping[int, float] = {}


PRESETS: Mapping[str, Preset] = {
    "digits": Preset(
        (1, 8, 8),
        1_797,
        (178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
        greys=(
            0.4893, 0.0356, 0.0287, 0.0256, 0.0284, 0.0244, 0.0223, 0.0228, 0.0301,
            0.0225, 0.0236, 0.0247, 0.0319, 0.0305, 0.0314, 0.0374, 0.0909,
        ),
        variance=0.0733,
        bce_floor=0.2134,
        unexplained={
            1: 0.851, 2: 0.715, 3: 0.597, 4: 0.513, 6: 0.406, 8: 0.326, 12: 0.215,
            16: 0.151, 24: 0.074, 32: 0.034,
        },
    ),
    "mnist": Preset(
        (1, 28, 28),
        60_000,
        (5_923, 6_742, 5_958, 6_131, 5_842, 5_421, 5_918, 6_265, 5_851, 5_949),
        greys=(
            0.8140, 0.0106, 0.0084, 0.0070, 0.0071, 0.0062, 0.0056, 0.0059, 0.0069,
            0.0062, 0.0057, 0.0066, 0.0074, 0.0073, 0.0087, 0.0112, 0.0752,
        ),
        variance=0.0673,
        bce_floor=0.0581,
        unexplained={
            1: 0.900, 2: 0.825, 3: 0.765, 4: 0.710, 6: 0.617, 8: 0.555, 12: 0.463,
            16: 0.398, 24: 0.309, 32: 0.249, 48: 0.177, 64: 0.134, 96: 0.087, 128: 0.062,
        },
    ),
    "fashion_mnist": Preset(
        (1, 28, 28),
        60_000,
        greys=(
            0.5301, 0.0160, 0.0176, 0.0194, 0.0206, 0.0218, 0.0229, 0.0243, 0.0258,
            0.0284, 0.0321, 0.0375, 0.0453, 0.0537, 0.0568, 0.0323, 0.0154,
        ),
        variance=0.0870,
        bce_floor=0.2422,
        unexplained={
            1: 0.708, 2: 0.532, 3: 0.472, 4: 0.422, 6: 0.350, 8: 0.307, 12: 0.262,
            16: 0.236, 24: 0.200, 32: 0.175, 48: 0.142, 64: 0.120, 96: 0.091, 128: 0.073,
        },
    ),
    "kmnist": Preset((1, 28, 28), 60_000),
    "cifar10": Preset((3, 32, 32), 50_000),
}  # fmt: skip

CLASSES = 10
"""Number of classes of every published set."""


def preset(model: Autoencoder) -> Preset | None:
    """Return the published data set of the first ``data`` line."""
    return PRESETS.get(model.data[0].name) if model.data else None


def pixel_range(model: Autoencoder) -> InputRange:
    """Return the values that pixels of the target have: the declared range, to which integer images are scaled.

    With ``real`` values, integer images are scaled to 0..1; only array sources can then hold other numbers.
    """
    declared = model.output_range
    integers = bool(model.data) and not model.data[0].kind.arrays and model.preprocessing is None
    return InputRange() if not declared.bounded and integers else declared


def image_variance(model: Autoencoder) -> float:
    """Return the mean squared distance of images from their mean, in the units of the declared range.

    It is measured for the published sets. For others, values are assumed to be uniform over the range (width² / 12), or
    standardised if the range is ``real``.
    """
    values, known = pixel_range(model), preset(model)
    if values.low is None or values.high is None:
        return 1.0
    width = values.high - values.low
    return width * width * (known.variance if known and known.variance is not None else 1 / 12)


def image_count(source: DataSource) -> int | None:
    """Return how many images a source gives for training and validation; None if only its files can tell.

    ``only`` is applied before ``limit``. If only a limit is known, the source is assumed to have that many.
    """
    known = PRESETS.get(source.name)
    whole = None if known is None else _of_class(known, source.only)
    if source.limit is None:
        return whole
    return source.limit if whole is None else min(source.limit, whole)


def _of_class(known: Preset, label: int | str | None) -> int | None:
    if label is None:
        return known.images
    if not known.class_images:
        return known.images // CLASSES
    name = str(label)
    return known.class_images[int(name)] if name in map(str, range(CLASSES)) else None


@fact
def training_images(model: Autoencoder) -> int | None:
    """Return how many training images an epoch has, without those for validation; None if it is unknown."""
    count = image_count(model.data[0]) if model.data else None
    if count is None or model.train is None:
        return count
    share = model.train.validation
    return count if not share or count < 2 else count - min(count - 1, max(1, round(count * share)))


def as_published(model: Autoencoder) -> Preset | None:
    """Return the data set of the first ``data`` line, if all of it is used at its own size."""
    known = preset(model)
    if known is None or model.data[0].only is not None or not known.shape == model.input.shape == model.target.shape:
        return None
    return known


def unexplained_by(known: Preset, numbers: int) -> tuple[int, float] | None:
    """Return a measured code size of at least ``numbers``, and the share of the variance that PCA leaves there.

    A smaller code leaves at least as much. Return None beyond the largest size measured.
    """
    sizes = sorted(known.unexplained)
    place = bisect_left(sizes, numbers)
    return None if place == len(sizes) else (sizes[place], known.unexplained[sizes[place]])
