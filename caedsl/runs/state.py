"""How a run stands, as ``state.json`` tells those who look at its folder."""

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
    """What is known of a run from outside.

    ``state`` is ``running``, ``finished``, ``interrupted`` (by Ctrl-C or SIGTERM), ``stopped`` (by a monitor) or
    ``failed`` (with an ``error``). One that is ``running`` and that no process holds any more has crashed. ``started``
    is the local time with its zone, ISO 8601.
    """

    state: str
    model: str
    epochs: int
    started: str
    error: str | None = None
