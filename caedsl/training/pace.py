"""A note when a run becomes several times slower than at its start."""

import os
import time
from collections.abc import Callable

import torch

from caedsl.machine.cores import allowed_cores
from caedsl.runs.history import Step
from caedsl.training.loop import Callback, Training

WINDOW_SECONDS = 10.0
SLOWER, WINDOWS = 3.0, 2
"""How many times slower steps must be than in the first window, and in how many consecutive windows.

A single slow window may mean that the machine slept."""


class Pace(Callback):
    """Check of the time per step, which reports once if it is several times as long as at the start.

    Only the time between two readings of the losses counts, without callbacks and validation.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], float] = lambda: os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    ) -> None:
        """Time a run from its next step on; ``load`` returns the system's load average."""
        self._clock, self._load = clock, load
        self._from: tuple[float, int] = (0.0, 0)
        self._seconds, self._steps = 0.0, 0
        self._first: float | None = None
        self._slow = 0
        self._said = False

    def on_start(self, training: Training) -> str | None:
        """Start the clock."""
        self._from = (self._clock(), training.step)
        return None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Add the steps since the last reading, and compare them once they fill a window."""
        since, first = self._from
        self._seconds += self._clock() - since
        self._steps += step.step - first
        if self._seconds >= WINDOW_SECONDS and self._steps:
            self._judge(training, self._seconds / self._steps)
            self._seconds, self._steps = 0.0, 0
        self._from = (self._clock(), step.step)
        return None

    def on_epoch(self, training: Training) -> str | None:
        """Restart the clock after validation."""
        self._from = (self._clock(), training.step)
        return None

    def _judge(self, training: Training, seconds: float) -> None:
        if self._first is None:
            self._first = seconds
            return
        self._slow = self._slow + 1 if seconds >= SLOWER * self._first else 0
        if self._slow >= WINDOWS and not self._said:
            self._said = True
            training.note(
                f"steps take {seconds / self._first:.1f} times as long as at the start of this run "
                f"({1000 * seconds:.3g} ms, were {1000 * self._first:.3g} ms): {self._cause(training)}"
            )

    def _cause(self, training: Training) -> str:
        load, cores = self._load(), allowed_cores()
        if load > 1.5 * cores:
            busy = f"other processes use the cores (load {load:.1f} on {cores})"
            if torch.get_num_threads() == 1:
                return busy
            return f"{busy}; `threads 1`, or OMP_WAIT_POLICY=PASSIVE in the environment, may be faster"
        if training.train.device.type == "cuda":
            return "another process may use the GPU, or the GPU may be throttled by heat"
        return "the processor may be throttled by heat, a CPU quota may be used up, or the disk may be slow"
