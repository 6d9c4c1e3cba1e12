"""When a run is probed: decided by its images and settings, so that the same seed gives the same record.

On CUDA, where a probe may take as long as hundreds of replayed steps, the schedule also considers the measured time.
"""

import math

from caedsl.training.batches import Batches
from caedsl.training.monitors.engine.observation import ENOUGH_IMAGES

PROBED_SHARE = 0.0075
"""Number of probed images per training image. A probed image costs two to four times as much as a training image: it
passes through the plain module, and every layer's output is measured."""

MOST_PROBED = 64
"""Largest number of images in a probe.

A probe also takes at most half a batch, so that it needs less memory than a step of one process.
"""

MOST_BYTES = 64 * 2**20
"""Memory for the images of all probes, in bytes."""

LEAST_ROUNDS = 3
"""Number of probes that must agree, if there are enough images."""


LARGEST_SHARE = 0.03
"""Largest share of the time that probes may take, where their cost is measured."""


class ProbeSchedule:
    """Steps after which probes of ``images`` images are taken, in a run with batches of ``batch``.

    These are steps 1, 2, 4, 8 … and then every multiple of ``distance``, at which the probed images are
    ``PROBED_SHARE`` of the training images.
    """

    def __init__(self, images: int, batch: int) -> None:
        self.distance = self._usual = math.ceil(images / (PROBED_SHARE * batch))

    def afford(self, probe_seconds: float, step_seconds: float) -> None:
        """Take probes less often from now on if their measured time is too large a share of the run."""
        self.distance = max(self._usual, math.ceil(probe_seconds / (LARGEST_SHARE * step_seconds)))

    def due(self, step: int) -> bool:
        """Return whether a probe is due after ``step`` steps (counted from 1)."""
        return step % self.distance == 0 or (step < self.distance and step & (step - 1) == 0)


def sizes(train: Batches, batch: int) -> tuple[int, int]:
    """Return the number of images in a probe, and the number of probes that together see enough different images."""
    can_be_kept = MOST_BYTES // (2 * 4 * math.prod(train.shape))
    enough = max(1, min(ENOUGH_IMAGES, len(train) // 2, can_be_kept))
    images = max(2, min(MOST_PROBED, batch // 2, enough // LEAST_ROUNDS))
    return images, max(1, math.ceil(enough / images))
