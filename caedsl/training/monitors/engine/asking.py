"""Ask the monitors, report what each finds once, and let static findings of the same model explain it."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from caedsl.diagnostics.finding import Finding
from caedsl.rules.engine.symptoms import likely_cause
from caedsl.runs.trouble import Sign, Trouble
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.monitors.engine.observation import LossWindow, RunSoFar
from caedsl.training.monitors.engine.places import NamedPlace

Say = Callable[[Trouble, Sequence[str]], None]
"""Called with each trouble as it is found, and with what the terminal shows of it."""

LEAST_BATCHES = 8
"""Whole batches that a window needs before it is said how its losses jump."""


class Asking:
    """Monitors of one run, and what they have said.

    ``place`` returns where a sign points, and ``findings`` what is known of the model without training it.
    """

    def __init__(
        self, place: Callable[[Sign], NamedPlace], findings: Callable[[], Iterable[Finding]], say: Say
    ) -> None:
        self.place, self.findings, self.say = place, findings, say
        self.troubles: list[Trouble] = []
        self.said: set[tuple[str, int | str]] = set()

    def ask(self, monitors: Iterable[Monitor], seen: RunSoFar, step: int, epoch: int) -> Sequence[Trouble]:
        """Return what monitors find for the first time."""
        before = len(self.troubles)
        for monitor in monitors:
            spoken = {trouble.monitor for trouble in self.troubles}
            if spoken.isdisjoint(monitor.explained_by):
                for sign in monitor.look(seen):
                    self.take_down(monitor, sign, step, epoch)
        return tuple(self.troubles[before:])

    def take_down(self, monitor: Monitor, sign: Sign, step: int, epoch: int, aloud: bool = True) -> None:
        """Record a sign, unless its monitor has said the same before."""
        key = (monitor.name, sign.where if monitor.by_layer else "")
        if key in self.said:
            return
        self.said.add(key)
        place, remedy = self.place(sign), sign.remedy
        cause = likely_cause(monitor.name, self.findings())
        if cause is not None:
            remedy = f"{cause.remedy} (`{cause.rule}` of `caedsl check`: {cause.evidence})"
        trouble = Trouble(step, epoch, monitor.name, place.layer, place.setting, place.line, sign.message, remedy)
        self.troubles.append(trouble)
        shown = (
            f"{monitor.name} at step {step:,}, epoch {epoch} (`caedsl rule {monitor.name}` explains it)",
            f"{place.shown}: {sign.message}",
            f"to change: {remedy}",
        )
        self.say(trouble, shown if aloud else ())


def window_of(
    step: int, pending: Sequence[tuple[list[float], int]], batch: int, names: Sequence[str]
) -> LossWindow | None:
    """Summarise the losses of some steps, reconstruction and terms, with the images of each; None for no steps."""
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
