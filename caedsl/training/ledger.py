"""The losses of an epoch, left on the device until the loop reads them."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from caedsl.training.errors import NotFiniteError
from caedsl.training.objective import Losses
from caedsl.training.parallel.processes import Processes


class Ledger:
    """The losses of each step of an epoch: the total, the reconstruction loss and the terms by name.

    Sums are taken step by step in 64 bits, so that means do not depend on when losses are read.
    """

    def __init__(self, names: Sequence[str], first_step: int) -> None:
        """Begin an epoch with terms called ``names`` at ``first_step``, counted from 1 since the start of the run."""
        self.names = tuple(names)
        self.images = 0
        self.sizes: list[int] = []
        self.rows: list[list[float]] = []
        """What was read, one row a step: total, reconstruction and terms."""
        self._unread: list[Tensor] = []
        self._sums = [0.0] * (2 + len(self.names))
        self._images_read = 0
        self._first_step = first_step

    @property
    def steps(self) -> int:
        """How many steps were recorded."""
        return len(self.sizes)

    def record(self, losses: Losses, images: int) -> None:
        """Keep the losses of a step on ``images`` images, without waiting for them."""
        self._unread.append(
            torch.stack([losses.total, losses.reconstruction, *map(losses.terms.__getitem__, self.names)])
        )
        self.sizes.append(images)
        self.images += images

    def read(self, processes: Processes) -> None:
        """Read the losses recorded since the last time, as means over all processes; waits for the device.

        The first loss that is not finite is a ``NotFiniteError``, in each of the processes.
        """
        if not self._unread:
            return
        new = torch.stack(self._unread)
        self._unread.clear()
        self._add(processes.mean(new) if processes.count > 1 else new)

    def _add(self, losses: Tensor) -> None:
        for row in losses.tolist():
            images = self.sizes[len(self.rows)]
            self.rows.append(row)
            self._images_read += images
            if not all(map(math.isfinite, row)):
                step = self._first_step + len(self.rows) - 1
                raise NotFiniteError(f"the loss is {row[0]} at step {step}", step)
            self._sums = [total + loss * images for total, loss in zip(self._sums, row, strict=True)]

    def entries(self) -> tuple[Tensor, list[int]]:
        """Return what was read, steps×losses, and the images of each of these steps."""
        return torch.tensor(self.rows, dtype=torch.float32).view(-1, len(self._sums)), self.sizes[: len(self.rows)]

    def restore(self, losses: Tensor, sizes: Sequence[int]) -> None:
        """Put what ``entries`` returned back in place, in a ledger without steps."""
        self.sizes, self.images = list(sizes), sum(sizes)
        self._add(losses)

    @property
    def total(self) -> float:
        """The mean over the images of the loss that is minimised, as far as it was read."""
        return self._sums[0] / self._images_read

    @property
    def reconstruction(self) -> float:
        """The mean over the images of the reconstruction loss, as far as it was read."""
        return self._sums[1] / self._images_read

    @property
    def terms(self) -> Mapping[str, float]:
        """The mean over the images of each term, as far as it was read."""
        return {name: total / self._images_read for name, total in zip(self.names, self._sums[2:], strict=True)}
