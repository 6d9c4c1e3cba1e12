"""Losses of an epoch, which stay on the device until the loop reads them."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from caedsl.training.errors import NotFiniteError
from caedsl.training.objective import Losses
from caedsl.training.parallel.processes import Processes


class Ledger:
    """Losses of each step of an epoch: the total, the reconstruction loss and the terms by name.

    Sums are accumulated step by step in 64 bits, so that means do not depend on when losses are read.
    """

    def __init__(self, names: Sequence[str], first_step: int) -> None:
        """Start an epoch with the terms ``names`` at ``first_step``, counted from 1 since the start of the run."""
        self.names = tuple(names)
        self.images = 0
        self.sizes: list[int] = []
        self.rows: list[list[float]] = []
        """The losses that were read, one row per step: total, reconstruction and terms."""
        self._unread: list[Tensor] = []
        self._sums = [0.0] * (2 + len(self.names))
        self._images_read = 0
        self._first_step = first_step

    @property
    def steps(self) -> int:
        """Number of recorded steps."""
        return len(self.sizes)

    def record(self, losses: Losses, images: int) -> None:
        """Record the losses of a step on ``images`` images without waiting for the device."""
        self._unread.append(
            torch.stack([losses.total, losses.reconstruction, *map(losses.terms.__getitem__, self.names)])
        )
        self.sizes.append(images)
        self.images += images

    def read(self, processes: Processes) -> None:
        """Read the losses recorded since the last call, as means over all processes; waits for the device.

        Raise ``NotFiniteError`` at the first non-finite loss, in each of the processes.
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

    def entries(self) -> Tensor:
        """Return the losses that were read, steps×losses."""
        return torch.tensor(self.rows, dtype=torch.float32).view(-1, len(self._sums))

    def restore(self, losses: Tensor, sizes: Sequence[int]) -> None:
        """Restore the result of ``entries`` in a ledger without steps; ``sizes`` are the images of each step."""
        self.sizes, self.images = list(sizes), sum(sizes)
        self._add(losses)

    @property
    def total(self) -> float:
        """Mean over the images of the minimised loss, as far as it was read."""
        return self._sums[0] / self._images_read

    @property
    def reconstruction(self) -> float:
        """Mean over the images of the reconstruction loss, as far as it was read."""
        return self._sums[1] / self._images_read

    @property
    def terms(self) -> Mapping[str, float]:
        """Mean over the images of each term, as far as it was read."""
        return {name: total / self._images_read for name, total in zip(self.names, self._sums[2:], strict=True)}
