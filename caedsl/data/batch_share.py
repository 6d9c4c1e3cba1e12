"""Part of a batch that one of several processes computes."""

from typing import NamedTuple, Self

from torch import Tensor


class BatchShare(NamedTuple):
    """Samples ``start`` to ``stop`` of a batch of ``whole``, which ``processes`` share.

    Random numbers are drawn for the whole batch and sliced, so a sample gets the same ones for any number of processes.
    """

    start: int
    stop: int
    whole: int
    processes: int = 1

    @classmethod
    def all_of(cls, images: int) -> Self:
        """Return a batch that is not shared."""
        return cls(0, images, images)

    def cut(self, drawn: Tensor, dim: int = 0) -> Tensor:
        """Slice what was drawn for the whole batch, one entry per sample along ``dim``, to the samples of this part."""
        return drawn.narrow(dim, self.start, self.stop - self.start)

    @property
    def weight(self) -> float:
        """Weight of a mean over this part: the mean of the weighted means of all processes is that of the batch."""
        return (self.stop - self.start) * self.processes / self.whole
