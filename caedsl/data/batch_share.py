"""The part of a batch that one of several processes holds."""

from typing import NamedTuple, Self

from torch import Tensor


class BatchShare(NamedTuple):
    """Images ``start`` to ``stop`` of a batch of ``whole``, which ``processes`` share.

    Random numbers are drawn for the whole batch and cut, so that an image gets the same ones however many share it.
    """

    start: int
    stop: int
    whole: int
    processes: int = 1

    @classmethod
    def all_of(cls, images: int) -> Self:
        """Return a batch that nobody shares."""
        return cls(0, images, images)

    def cut(self, drawn: Tensor, dim: int = 0) -> Tensor:
        """Return what was drawn for the whole batch, one entry an image along ``dim``, for the images of this part."""
        return drawn.narrow(dim, self.start, self.stop - self.start)

    @property
    def weight(self) -> float:
        """The weight of a mean over this part: the mean of weighted means over the processes is that of the batch."""
        return (self.stop - self.start) * self.processes / self.whole
