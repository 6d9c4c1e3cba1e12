"""Published datasets: their sizes, and measurements that need no training."""

from collections.abc import Mapping
from typing import NamedTuple

from caedsl.vocabulary.shape import Shape


class Preset(NamedTuple):
    """Published dataset.

    ``images`` is the number of training images, and ``class_images`` that of each class if they differ. ``greys`` is
    the share of their pixels at each of equally spaced levels from black to white, and ``variance`` their mean squared
    distance from the mean image, with pixels in 0..1. ``bce_floor`` is the entropy of the training images' pixels in
    nats, the least binary cross-entropy that any model reaches on them, and ``bce_floor_test`` that of the test images.
    ``bernoulli_eigenvalue`` is the largest eigenvalue of the covariance of the training images' pixels, each divided by
    the standard deviation of a Bernoulli variable with its mean. ``unexplained`` maps a number of components to the
    share of the test images' variance that PCA, fitted on the training images, leaves. ``digits`` has only one part.
    """

    shape: Shape
    images: int
    class_images: tuple[int, ...] = ()
    greys: tuple[float, ...] = ()
    variance: float | None = None
    bce_floor: float | None = None
    bce_floor_test: float | None = None
    bernoulli_eigenvalue: float | None = None
    unexplained: Mapping[int, float] = {}


# fmt: off
DIGITS = Preset(
    (1, 8, 8),
    1_797,
    (178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
    greys=(
        0.4893, 0.0356, 0.0287, 0.0256, 0.0284, 0.0244, 0.0223, 0.0228, 0.0301,
        0.0225, 0.0236, 0.0247, 0.0319, 0.0305, 0.0314, 0.0374, 0.0909,
    ),
    variance=0.0733,
    bce_floor=0.2134,
    bernoulli_eigenvalue=3.35,
    unexplained={
        1: 0.851, 2: 0.715, 3: 0.597, 4: 0.513, 6: 0.406, 8: 0.326, 12: 0.215,
        16: 0.151, 24: 0.074, 32: 0.034,
    },
)
MNIST = Preset(
    (1, 28, 28),
    60_000,
    (5_923, 6_742, 5_958, 6_131, 5_842, 5_421, 5_918, 6_265, 5_851, 5_949),
    greys=(
        0.8140, 0.0106, 0.0084, 0.0070, 0.0071, 0.0062, 0.0056, 0.0059, 0.0069,
        0.0062, 0.0057, 0.0066, 0.0074, 0.0073, 0.0087, 0.0112, 0.0752,
    ),
    variance=0.0673,
    bce_floor=0.0584,
    bce_floor_test=0.0581,
    bernoulli_eigenvalue=33.1,
    unexplained={
        1: 0.900, 2: 0.825, 3: 0.765, 4: 0.710, 6: 0.617, 8: 0.555, 12: 0.463,
        16: 0.398, 24: 0.309, 32: 0.249, 48: 0.177, 64: 0.134, 96: 0.087, 128: 0.062,
    },
)
FASHION_MNIST = Preset(
    (1, 28, 28),
    60_000,
    greys=(
        0.5301, 0.0160, 0.0176, 0.0194, 0.0206, 0.0218, 0.0229, 0.0243, 0.0258,
        0.0284, 0.0321, 0.0375, 0.0453, 0.0537, 0.0568, 0.0323, 0.0154,
    ),
    variance=0.0870,
    bce_floor=0.2402,
    bce_floor_test=0.2422,
    bernoulli_eigenvalue=91.2,
    unexplained={
        1: 0.708, 2: 0.532, 3: 0.472, 4: 0.422, 6: 0.350, 8: 0.307, 12: 0.262,
        16: 0.236, 24: 0.200, 32: 0.175, 48: 0.142, 64: 0.120, 96: 0.091, 128: 0.073,
    },
)
KMNIST = Preset((1, 28, 28), 60_000)
CIFAR10 = Preset((3, 32, 32), 50_000)
# fmt: on
