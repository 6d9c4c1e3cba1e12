"""State of a run, as recorded in ``state.json``."""

import time
from dataclasses import dataclass
from typing import Self

RUNNING, FINISHED, INTERRUPTED, STOPPED, FAILED, CRASHED = (
    "running",
    "finished",
    "interrupted",
    "stopped",
    "failed",
    "crashed",
)


@dataclass(frozen=True)
class RunState:
    """State of a run as recorded in its folder.

    ``state`` is ``running``, ``finished``, ``interrupted`` (by Ctrl-C, SIGTERM or SIGHUP), ``stopped`` (by a monitor)
    or ``failed`` (with an ``error``). A ``running`` run whose folder no process locks has crashed. ``started`` is the
    local time with its time zone in ISO 8601.
    """

    state: str
    model: str
    epochs: int
    started: str
    error: str | None = None

    @classmethod
    def running(cls, model: str, epochs: int, started: str | None = None) -> Self:
        """Return the state of a run that starts now, unless it was ``started`` earlier and is resumed."""
        return cls(RUNNING, model, epochs, started or time.strftime("%Y-%m-%dT%H:%M:%S%z"))
