"""Part of a batch that one of several processes computes."""

from typing import NamedTuple, Self


class BatchShare(NamedTuple):
    """Samples ``start`` to ``stop`` of a batch of ``whole``, which ``processes`` share."""

    start: int
    stop: int
    whole: int
    processes: int = 1

    @classmethod
    def all_of(cls, images: int) -> Self:
        """Return a batch that is not shared."""
        return cls(0, images, images)

    @property
    def weight(self) -> float:
        """Weight of a mean over this part: the mean of the weighted means of all processes is that of the batch."""
        return (self.stop - self.start) * self.processes / self.whole
