"""State of a run, as recorded in ``state.json``."""

from dataclasses import dataclass

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
