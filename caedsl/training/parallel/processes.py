"""The processes that train one module together, here for the simplest case of a single process.

Each process takes its part of every batch, and all hold the same weights. ``caedsl.training.parallel.distributed``
implements groups of several processes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

from caedsl.data.batch_share import BatchShare
from caedsl.runs.errors import TrainingError

SECONDS_BETWEEN_READS = 0.25

Found = TypeVar("Found")


class LostError(TrainingError):
    """Loss of another process of the group; the message quotes its last message."""


class PartDoneError(Exception):
    """End of a process other than the first after training; the first does the remaining work."""


class Processes:
    """Single process that trains alone."""

    number, count = 0, 1
    """Rank of this process, counted from 0, and number of processes."""

    validates = False
    """Whether the processes compute the loss of held-out samples together."""

    _read = 0.0
    """Time at which losses were last read."""

    @property
    def first(self) -> bool:
        """Whether this process writes the run folder, reports to the user, and evaluates."""
        return self.number == 0

    def device(self, chosen: torch.device) -> torch.device:
        """Return the device of this process, given the device ``chosen`` for all processes.

        Raise ``TrainingError`` if there is none for it.
        """
        return chosen

    def in_turn(self) -> AbstractContextManager[None]:
        """Let the first process run the block alone; the others follow once it is done."""
        return nullcontext()

    def from_first(self, find: Callable[[], Found]) -> Found:
        """Return the result of ``find`` in the first process, which runs it alone.

        All processes must call this; the others wait.
        """
        return find()

    def wait_for_all(self) -> None:
        """Wait until every process has called this."""

    def joined(self, module: nn.Module) -> AbstractContextManager[Callable[[Tensor], Tensor]]:
        """Return a context with the form of ``module`` that steps call, whose gradients are means over all processes.

        Layers that compute over a whole batch or draw random numbers for it do so over all processes. The loss of a
        process within the block raises ``LostError``.
        """
        return nullcontext(module)

    def begin(self, images: int) -> None:
        """Start a batch of ``images`` images, to which the following calls refer."""

    def share_of_batch(self, mine: Tensor) -> BatchShare:
        """Return this process's part, the images ``mine``, of the current batch."""
        return BatchShare.all_of(len(mine))

    def meeting(self) -> bool:
        """Return whether losses are read after this step, which happens a few times a second; call it once per step.

        Several processes meet at these steps and do not exchange losses in between.
        """
        now = time.monotonic()
        due = now - self._read > SECONDS_BETWEEN_READS
        if due:
            self._read = now
        return due

    def agreed(self, reason: str | None) -> str | None:
        """Return the first reason to end that any process has, in the order of processes. All must call this."""
        return reason

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes. All must call this."""
        return x


ALONE = Processes()
_joined = [ALONE]


def current() -> Processes:
    """Return the processes that this one trains with."""
    return _joined[-1]


@contextmanager
def training_with(processes: Processes) -> Iterator[None]:
    """Make ``processes`` the current ones within the block."""
    _joined.append(processes)
    try:
        yield
    finally:
        _joined.pop()
