"""Repairs: the smallest change for a cause, trained next to the original with the same steps and seeds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median

from caedsl.diagnostics.diff import unified_diff
from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.probes.memorise import FAILED
from caedsl.doctor.stepping import ALIKE, ErrorCurve, held_out_measure, take_steps
from caedsl.doctor.subject import Subject
from caedsl.doctor.suspicion import ENOUGH, POOR, ProposedChange
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.runs.errors import TrainingError

CLEARLY = 0.6
"""Largest ratio of two errors at which one of them is clearly better."""
WINS = 0.85
"""Largest ratio of the median error with the repair to that without at which the repair wins; see ``Repair.wins``."""
SEEDS = 2
"""Number of seeds of a trial."""
LADDER = (100, 150, 200, 300, 400, 600)
"""Possible numbers of steps of a trial; they are few, so that machines of different speed choose the same one."""


@dataclass(frozen=True)
class Repair:
    """Change that was tried, with the remaining share of held-out variance ``before`` and ``after``, by seed.

    ``text`` is the changed spec, ``diff`` the change. ``steps`` were taken with the change, and ``steps_before``
    without it, which are fewer if the original's whole run has fewer. ``whole`` is the number of steps of that run.
    """

    cause: str
    title: str
    text: str
    diff: str
    steps: int
    seeds: tuple[int, ...]
    before: tuple[ErrorCurve, ...]
    after: tuple[ErrorCurve, ...]
    steps_before: int | None = None
    whole: int | None = None

    @property
    def wins(self) -> bool:
        """Whether the change trains and improves."""
        return self.improves and median(curve.end for curve in self.after) <= POOR

    @property
    def improves(self) -> bool:
        """Whether the change improves the median over seeds clearly, and the result of every seed.

        Seeds are compared in pairs: the same seed draws the same weights and batches with and without the change. If
        the original fails with some seeds only, as with a dead start, then with the others it is enough that the
        change learns.
        """
        pairs = [(old.end, new.end) for old, new in zip(self.before, self.after, strict=True)]
        some_fail = any(old > POOR for old, _ in pairs)
        return self.gain <= WINS and all(new < old or (some_fail and max(old, new) <= FAILED) for old, new in pairs)

    def ends_at(self, left: float) -> bool:
        """Return whether the change improves, but leaves this share of the variance with every seed."""
        return self.improves and all(abs(curve.end / left - 1) <= ALIKE for curve in self.after)

    @property
    def gain(self) -> float:
        """Median share of the variance left, relative to that of the original."""
        old, new = median(curve.end for curve in self.before), median(curve.end for curve in self.after)
        return new / old if isfinite(new) else inf

    @property
    def out_of_reach(self) -> bool:
        """Whether the original would end its whole run clearly above what the change has already reached."""
        pairs = list(zip(self.before, self.after, strict=True))
        return median(new.end for _, new in pairs) <= CLEARLY * median(self._extrapolated(*pair) for pair in pairs)

    def _extrapolated(self, before: ErrorCurve, after: ErrorCurve) -> float:
        """Return what the original would leave after its whole run, if its curve is that of the change, only slower.

        The trial shows how many times slower.
        """
        taken = before.steps[-1]
        return after.at(after.until(before.end) * (self.whole or taken) / max(taken, 1))

    @property
    def decided(self) -> bool:
        """Whether the trial is informative: one of the two beats the mean image, or had enough steps to do so.

        A change that improves, but is no better than the mean image yet, decides nothing.
        """
        ends = [curve.end for curve in (*self.before, *self.after)]
        return self.wins or (not self.improves and (self.steps >= ENOUGH or min(ends) <= POOR))

    @property
    def outcome(self) -> str:
        """Result of the trial in a few words."""
        if self.decided:
            return "better" if self.wins else "no better"
        return "better, but not yet than the mean image" if self.improves else "undecided after so few steps"

    @property
    def numbers(self) -> str:
        """Both results in words."""
        old, new = (
            " and ".join(dict.fromkeys(f"{curve.end:.1%}" if curve.end < 100 else "over 10,000%" for curve in curves))
            for curves in (self.before, self.after)
        )
        after = f"after {self.steps:,} steps"
        seeds = f"with seeds {_listed(self.seeds)}"
        if self.steps_before in (None, self.steps):
            return f"{new} of the variance left, and {old} without it, {after} {seeds}"
        return f"{new} of the variance left {after}, and {old} without it after all {self.steps_before:,}, {seeds}"


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))


class Trials:
    """Training runs of a subject and of changed ones with the same seeds: ``steps`` steps each, at most a whole run."""

    def __init__(self, subject: Subject, steps: int, known: ErrorCurve | None = None) -> None:
        """Keep ``known``, the curve of the subject's own seed, if it has already been trained."""
        self.subject, self.steps = subject, steps
        own = subject.settings.seed
        self.seeds = tuple(own + number for number in range(SEEDS))
        self._before: tuple[ErrorCurve, ...] | None = None
        self._known = known

    def repair(self, cause: str, change: ProposedChange, tell: Callable[[str], StepProgress]) -> Repair | None:
        """Try a change that may fix ``cause``; return None if it does not give a valid spec, or declares other data."""
        model = tried(self.subject.model, change.edits)
        if model is None or _declared(model) != _declared(self.subject.model):
            return None
        try:
            changed = self.subject.changed(model)
            after = self._curves(changed, self.seeds, tell(f"trying: {change.title}"))
        except TrainingError:
            return None
        return Repair(
            cause,
            change.title,
            model.source.text,
            unified_diff(self.subject.model.source.text, model.source.text, self.subject.shown_path),
            min(self.steps, changed.baseline.steps),
            self.seeds,
            self._originals(tell("training the unchanged spec for comparison")),
            after,
            min(self.steps, self.subject.baseline.steps),
            self.subject.baseline.steps,
        )

    def _originals(self, tell: StepProgress) -> tuple[ErrorCurve, ...]:
        if self._before is None:
            rest = self.seeds[1:] if self._known is not None else self.seeds
            first = (self._known,) if self._known is not None else ()
            self._before = (*first, *self._curves(self.subject, rest, tell))
        return self._before

    def _curves(self, subject: Subject, seeds: Sequence[int], tell: StepProgress) -> tuple[ErrorCurve, ...]:
        return tuple(
            train(subject, seed, self.steps, _part(tell, number, len(seeds))) for number, seed in enumerate(seeds)
        )


def _declared(model: Autoencoder) -> tuple[object, ...]:
    """Return what the author declares about the data."""
    both = (model.input, model.target)
    return (*((side.shape, side.range) for side in both), model.data)


def _part(tell: StepProgress, number: int, of: int) -> StepProgress:
    return lambda done, total: tell(number * total + done, of * total)


def train(subject: Subject, seed: int, steps: int, tell: StepProgress = silent) -> ErrorCurve:
    """Train a subject for ``steps`` steps, at most a whole run; return the curve of the share of the variance left."""
    training = subject.fresh(seed)
    return take_steps(training, min(steps, training.steps), held_out_measure(training), tell=tell).curve


def seconds_per_step(subject: Subject) -> float:
    """Return the mean duration of a training step in seconds, after a warm-up step."""
    training = subject.fresh()
    take_steps(training, 1, lambda now: 0.0)
    started = time.perf_counter()
    take_steps(training, 3, lambda now: 0.0)
    return (time.perf_counter() - started) / 3


def affordable(budget: float, step_cost: float, trials: int) -> int:
    """Return how many steps of ``LADDER`` a trial may take so that ``trials`` trials cost at most ``budget``.

    If none fits, return the fewest.
    """
    fitting = [steps for steps in LADDER if steps * step_cost * trials <= budget]
    return fitting[-1] if fitting else LADDER[0]
