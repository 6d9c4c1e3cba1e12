"""When a run is looked at: decided by its images and its settings, so that the same seed gives the same record.

On CUDA, where a probe may take as long as hundreds of replayed steps, the time that it took is taken into account.
"""

import math

from caedsl.training.batches import Batches
from caedsl.training.monitors.engine.observation import ENOUGH_IMAGES

PROBED_SHARE = 0.0075
"""How many images are probed for each one that is trained on. A probed image costs two to four times what a trained one
does: it goes through the plain module, and every layer's output is measured."""

MOST_PROBED = 64
"""Images a probe takes at most.

Never more than half a batch, so that it needs less memory than a step of one process.
"""

MOST_BYTES = 64 * 2**20
"""Memory for the images of all probes."""

LEAST_ROUNDS = 3
"""Probes that must agree, where there are images for so many."""


LARGEST_SHARE = 0.03
"""Share of the time that probes may take where their cost is measured."""


class ProbeSchedule:
    """The steps after which probes of ``images`` images are taken, in a run with batches of ``batch``.

    They are 1, 2, 4, 8 … until the distance is one at which the probed images are ``PROBED_SHARE`` of those trained on;
    from then on they keep that distance.
    """

    def __init__(self, images: int, batch: int) -> None:
        self.distance = self._usual = math.ceil(images / (PROBED_SHARE * batch))

    def afford(self, probe_seconds: float, step_seconds: float) -> None:
        """Take probes less often from now on where such a probe, beside such steps, would take too much of the time."""
        self.distance = max(self._usual, math.ceil(probe_seconds / (LARGEST_SHARE * step_seconds)))

    def due(self, step: int) -> bool:
        """Whether the run is looked at after ``step`` steps (counted from 1)."""
        return step % self.distance == 0 or (step < self.distance and step & (step - 1) == 0)


def sizes(train: Batches, batch: int) -> tuple[int, int]:
    """How many images a probe takes, and how many probes take enough different ones."""
    can_be_kept = MOST_BYTES // (2 * 4 * math.prod(train.shape))
    enough = max(1, min(ENOUGH_IMAGES, len(train) // 2, can_be_kept))
    images = max(2, min(MOST_PROBED, batch // 2, enough // LEAST_ROUNDS))
    return images, max(1, math.ceil(enough / images))
