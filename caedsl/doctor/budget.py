"""Budget of an examination: wall-clock seconds, or training steps."""

import re
import time
from typing import Protocol

from caedsl.doctor.errors import DoctorError
from caedsl.doctor.repairs import seconds_per_step
from caedsl.doctor.subject import Subject

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h)")
_STEPS = re.compile(r"(\d[\d_,]*)\s*steps?")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
MOST_SECONDS, LEAST_STEPS, MOST_STEPS = 24 * 3600, 500, 10_000_000


class Budget(Protocol):
    """Limit of an examination, in seconds or steps.

    ``known_step_cost`` is the cost of a step if it is known without a measurement, None otherwise.
    """

    known_step_cost: float | None

    @property
    def left(self) -> float:
        """Remaining seconds or steps, never below 0."""

    def spend(self, steps: int) -> None:
        """Record that this many steps were taken."""

    def step_cost(self, subject: Subject) -> float:
        """Return the cost of one step of the subject, in the unit of ``left``."""


class SecondsBudget:
    """Wall-clock seconds, starting now; a slower machine takes fewer steps in them."""

    known_step_cost: float | None = None

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """See ``Budget``."""
        return max(0.0, self._ends - time.monotonic())

    def spend(self, steps: int) -> None:
        """See ``Budget``; the clock runs by itself."""

    def step_cost(self, subject: Subject) -> float:
        """See ``Budget``."""
        return seconds_per_step(subject)


class StepsBudget:
    """Training steps. The answer is the same on every machine, whatever its speed and load."""

    known_step_cost: float | None = 1.0

    def __init__(self, steps: int) -> None:
        self._left = steps

    @property
    def left(self) -> float:
        """See ``Budget``."""
        return float(max(0, self._left))

    def spend(self, steps: int) -> None:
        """See ``Budget``."""
        self._left -= steps

    def step_cost(self, subject: Subject) -> float:
        """See ``Budget``."""
        return 1.0


def budget_of(value: float | str) -> Budget:
    """Return a budget that starts now: a number of seconds, or a text such as ``2min`` or ``3000 steps``.

    Raise ``DoctorError`` if the text is malformed or the budget is out of bounds.
    """
    text = f"{value:g}s" if isinstance(value, float | int) else value.strip()
    steps, seconds = _STEPS.fullmatch(text), _TIME.fullmatch(text)
    if steps is not None:
        count = int(re.sub("[_,]", "", steps[1]))
        if LEAST_STEPS <= count <= MOST_STEPS:
            return StepsBudget(count)
    elif seconds is not None:
        length = float(seconds[1]) * _SECONDS[seconds[2]]
        if 1 <= length <= MOST_SECONDS:
            return SecondsBudget(length)
    raise DoctorError(
        f"budget {value}: write a time from 1s to 24h, such as 90s, 2min or 1h, or a number of training steps from "
        f"{LEAST_STEPS} on, such as 3000steps"
    )
