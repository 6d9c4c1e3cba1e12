"""Schema of the text in a checkpoint, checked since a run folder may come from an untrusted source."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from caedsl.runs.schema import Count, Short
from caedsl.runs.trouble import Trouble
from caedsl.training.monitors.engine.observation import LossWindow, ProbeResult

Positive = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True)


class _Plateau(_Record):
    factor: Positive
    best: float
    waited: Count


class _Measurements(_Record):
    probes: list[ProbeResult]
    windows: list[LossWindow]
    first_probe: ProbeResult | None
    first_window: LossWindow | None
    best_window: LossWindow | None
    best_probe: ProbeResult | None
    full_steps: Positive


class _Watch(_Record):
    seen: _Measurements
    probes: Count
    read: Count
    pending: list[tuple[list[float], Count]]
    troubles: list[Trouble]
    said: list[tuple[Short, int | Short]]


class _Callbacks(_Record):
    """States of callbacks by class name; the state of the monitors is checked here, others by their callbacks."""

    model_config = ConfigDict(strict=True, extra="allow")

    __pydantic_extra__: dict[str, list[dict[str, Any]]]
    watches: Annotated[list[_Watch], Field(alias="Watch", max_length=1)] = []


class ProgressRecord(_Record):
    """Part of a run's state that is not a tensor, see ``caedsl.training.checkpoints.capture``."""

    format: int
    run: Short
    epoch: Annotated[int, Field(ge=1, le=2**53)]
    step: Count
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    ended: Short
    epochs: Count
    steps: Count | None
    plateau: _Plateau
    averaged: Count | None
    scaler: dict[str, float]
    terms: list[Short]
    callbacks: _Callbacks

    @property
    def watch(self) -> _Watch | None:
        """State of the monitors, or None if none watched."""
        return self.callbacks.watches[0] if self.callbacks.watches else None

    @property
    def probed(self) -> list[ProbeResult]:
        """Probes that the monitors kept."""
        seen = self.watch.seen if self.watch is not None else None
        return [*seen.probes, *filter(None, (seen.first_probe, seen.best_probe))] if seen is not None else []


_PROGRESS = TypeAdapter(ProgressRecord)


def read_progress(text: str) -> ProgressRecord:
    """Read the text of a checkpoint. Raise ``pydantic.ValidationError``, a ``ValueError``, if it is invalid."""
    return _PROGRESS.validate_json(text)
