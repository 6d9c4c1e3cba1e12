"""The processes that train one module together; a process that trains alone is the simplest case.

Each takes its part of every batch, and all hold the same weights. ``caedsl.training.parallel.distributed`` has the
group of several.
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
    """Another process of the group is gone; the message has its last words."""


class PartDoneError(Exception):
    """The training is over, and what is left to do is the first process's: this one may end."""


class Processes:
    """One process that trains alone."""

    number, count = 0, 1
    """Which process this is, counted from 0, and of how many."""

    _read = 0.0
    """When losses were last read."""

    @property
    def first(self) -> bool:
        """Whether this process writes the run folder, speaks, and evaluates."""
        return self.number == 0

    def device(self, chosen: torch.device) -> torch.device:
        """Return the device of this process, where all were to train on ``chosen``.

        A ``TrainingError`` where there is none.
        """
        return chosen

    def in_turn(self) -> AbstractContextManager[None]:
        """Inside, the first process is alone: the others follow when it is through."""
        return nullcontext()

    def from_first(self, find: Callable[[], Found]) -> Found:
        """Return what ``find`` comes to in the first process, which is alone meanwhile.

        All must ask, and the others wait.
        """
        return find()

    def wait_for_all(self) -> None:
        """Go on when every process has come here."""

    def joined(self, module: nn.Module) -> AbstractContextManager[Callable[[Tensor], Tensor]]:
        """Inside, what training steps are to call: gradients of ``module`` are then the means over all processes.

        Layers that look at a whole batch or draw random numbers for it do so over all processes. A process that is gone
        is a ``LostError`` there.
        """
        return nullcontext(module)

    def begin(self, images: int) -> None:
        """Begin a batch of so many images, which what follows is about."""

    def under_way(self, mine: Tensor) -> BatchShare:
        """Return the part of this process, the images ``mine``, in the batch that began last."""
        return BatchShare.all_of(len(mine))

    def meeting(self) -> bool:
        """Return whether losses are read after this step, a few times a second; call it once a step.

        Several processes meet there: between meetings none waits for another.
        """
        now = time.monotonic()
        due = now - self._read > SECONDS_BETWEEN_READS
        if due:
            self._read = now
        return due

    def agreed(self, reason: str | None) -> str | None:
        """Return the first reason to end, in the order of the processes, that any of them has. All must ask."""
        return reason

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes. All must ask."""
        return x


ALONE = Processes()
_joined = [ALONE]


def current() -> Processes:
    """Return the processes that this one trains with."""
    return _joined[-1]


@contextmanager
def training_with(processes: Processes) -> Iterator[None]:
    """Inside, ``processes`` are the current ones."""
    _joined.append(processes)
    try:
        yield
    finally:
        _joined.pop()
