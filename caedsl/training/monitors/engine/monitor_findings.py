"""Ask the monitors, report each finding once, and explain it by static findings of the same model."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from caedsl.diagnostics.finding import Finding
from caedsl.rules.engine.symptoms import CAUSES, likely_cause
from caedsl.runs.trouble import Symptom, Trouble
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.monitors.engine.observation import LossWindow, RunSoFar
from caedsl.training.monitors.engine.places import NamedPlace

Say = Callable[[Trouble, Sequence[str]], None]
"""Function that is called with each new trouble and the lines that the terminal shows for it."""

LEAST_BATCHES = 8
"""Whole batches that a window needs before the jump of its losses is computed."""


class MonitorFindings:
    """Monitors of one run and their findings.

    ``place`` returns the place of a symptom, and ``findings`` the static findings for the model.
    """

    def __init__(
        self, place: Callable[[Symptom], NamedPlace], findings: Callable[[], Iterable[Finding]], say: Say
    ) -> None:
        self.place, self.findings, self.say = place, findings, say
        self.troubles: list[Trouble] = []
        self.said: set[tuple[str, int | str]] = set()
        self._certain: set[str] = set()

    def ask(self, monitors: Iterable[Monitor], seen: RunSoFar, step: int, epoch: int) -> Sequence[Trouble]:
        """Ask the monitors, and return the findings that are new.

        A monitor whose symptom may have a cause that is already certain would only give other advice, so it is not
        asked.
        """
        before = len(self.troubles)
        for monitor in monitors:
            spoken = {trouble.monitor for trouble in self.troubles}
            known = self._certain.intersection(CAUSES.get(monitor.name, ()))
            if not known and spoken.isdisjoint(monitor.explained_by):
                for symptom in monitor.look(seen):
                    self.record(monitor, symptom, step, epoch)
        return tuple(self.troubles[before:])

    def record(self, monitor: Monitor, symptom: Symptom, step: int, epoch: int, announced: bool = True) -> None:
        """Record a symptom, unless its monitor has reported it before."""
        key = (monitor.name, symptom.where if monitor.by_layer else "")
        if key in self.said:
            return
        self.said.add(key)
        place, remedy = self.place(symptom), symptom.remedy
        if symptom.cause:
            self._certain.add(symptom.cause)
        cause = None if symptom.cause else likely_cause(monitor.name, self.findings())
        if cause is not None:
            remedy = f"{cause.remedy} (`{cause.rule}` of `caedsl check`: {cause.evidence})"
        trouble = Trouble(step, epoch, monitor.name, place.layer, place.setting, place.line, symptom.message, remedy)
        self.troubles.append(trouble)
        shown = (
            f"{monitor.name} at step {step:,}, epoch {epoch} (`caedsl rule {monitor.name}` explains it)",
            f"{place.shown}: {symptom.message}",
            f"to change: {remedy}",
        )
        self.say(trouble, shown if announced else ())


def window_of(
    step: int, pending: Sequence[tuple[list[float], int]], batch: int, names: Sequence[str]
) -> LossWindow | None:
    """Summarise the losses of some steps; return None if there are none.

    ``pending`` holds for each step its losses (reconstruction, then terms) and its number of images.
    """
    images = sum(count for _, count in pending)
    if not images:
        return None
    weighted = [[loss * count for loss in losses] for losses, count in pending]
    mean, *terms = (sum(column) / images for column in zip(*weighted, strict=True))
    whole = [losses[0] for losses, count in pending if count == batch]
    jump = None
    if len(whole) >= LEAST_BATCHES and mean > 0:
        squares = [(after - before) ** 2 for before, after in pairwise(whole)]
        jump = (sum(squares) / len(squares) / 2) ** 0.5 / mean
    return LossWindow(step, len(pending), mean, jump, dict(zip(names, terms, strict=True)))
