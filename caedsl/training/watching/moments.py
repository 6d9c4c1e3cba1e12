"""When a run is looked at: decided by the settings alone, so that the same seed gives the same record."""

from math import ceil

PROBED_SHARE = 0.0075
"""How many images are probed for each one that is trained on. A probed image costs two to four times what a trained one
does: it goes through the plain module, and every layer's output is measured."""


class Moments:
    """The steps after which probes of ``images`` images are taken, in a run with batches of ``batch``.

    They are 1, 2, 4, 8 … until the distance is one at which the probed images are ``PROBED_SHARE`` of those trained on;
    from then on they keep that distance.
    """

    def __init__(self, images: int, batch: int) -> None:
        self.distance = ceil(images / (PROBED_SHARE * batch))

    def due(self, step: int) -> bool:
        """Whether the run is looked at after ``step`` steps (counted from 1)."""
        return step % self.distance == 0 or (step < self.distance and step & (step - 1) == 0)
