"""``lr auto``: a range test (Smith 2017, "Cyclical learning rates for training neural networks", arXiv 1506.01186).

The rate rises exponentially over a hundred training steps of a fresh model while the loss is recorded. The loss first
stays level, then falls, and finally rises again. The search begins with the rate at which 85 % of the fall is reached,
but with at most a third of the rate at the lowest loss. That rate may be wrong by a factor of ten, and the test passes
too quickly over rates at which a model dies. Therefore miniature runs follow at rates a factor of three apart, until a
lower and a higher rate than the chosen one have been tried. The chosen rate is the lowest one that does about as well
as the best. A miniature run goes through the whole schedule in a hundred steps, since a rate that kills a fresh model
may be the best peak of a schedule that rises to it and falls again.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from caedsl.runs.errors import TrainingError
from caedsl.training.loop import Training
from caedsl.training.search.trials import batches_of, copy_of, in_miniature, steps_at

STEPS = 100
DECADES = 5
ADAPTIVE_TOP, SGD_TOP = 1.0, 100.0
"""Highest rates tried, for adaptive optimizers and for SGD.

Steps of Adam and similar optimizers are about as large as the rate, whatever the loss. Steps of SGD are proportional to
the gradient, so its value is for a loss averaged over pixels, without momentum."""

DIVERGED = 4.0
"""The test ends once the loss is this many times its best, the value used by fastai and Lightning."""

DONE, BELOW_LOWEST = 0.85, 1 / 3
"""Share of the fall, and share of the rate at the lowest loss, that set the first rate.

Together they came nearest to the best rates of sweeps (five optimizers, three losses, digits and MNIST). The rate of
the steepest fall is 2 to 30 times smaller than the best."""

TRIALS, APART = 4, 3.0
"""Largest number of rates that are tried for a hundred steps each, and the factor between them."""

AS_GOOD = 1.1
"""A rate counts as equally good if its loss is at most this many times the lowest; the lower rate is then safer.

On the recorded losses of seven runs (four optimizers, four specs), 1.1 led to at most 1.17 times the lowest loss of a
sweep, whether trials began at the first rate or 1.8 times above it; 1.15 led to 1.28 and 1.25 to 1.44. With 1.15, SGD
on the digits stopped at a rate with 1.55 times the lowest loss."""

LAST = 10
"""Number of steps at the end of a trial whose mean loss is compared; all trials see the same batches."""

LEAST_FALL = 0.02
"""Least fall of the loss, as a share of the first loss; a smaller one is noise of the batches."""

WINDOW = 3
"""Number of steps before and after each step that are included in its smoothed loss."""


class Point(NamedTuple):
    """Step of the test: its rate, and the loss before the step."""

    rate: float
    loss: float


class FoundRate(NamedTuple):
    """Learning rate in two digits, and a note about it."""

    rate: float
    note: str


class Choice(NamedTuple):
    """Result of a test: the first rate to try, the rate at the end of the fall, and the rate at the lowest loss."""

    rate: float
    fallen: float
    bottom: float


def find_rate(fresh: Training, on_step: Callable[[int, int], None] = lambda done, total: None) -> FoundRate:
    """Return the learning rate for a run like ``fresh``, which is left unchanged.

    ``fresh`` has a rate of 1, and the schedule and the epochs of the run. Losses are training losses with penalties.
    ``on_step`` is called with the number of steps done and the largest possible total. Raise ``TrainingError`` if the
    loss falls at no rate.
    """
    most = STEPS * (1 + TRIALS)

    def losses(rates: Sequence[float], before: int) -> list[float]:
        return _losses(copy_of(fresh), rates, lambda step: on_step(before + step, most))

    def end(peak: float) -> float:
        last = losses(_in_miniature(fresh, peak), STEPS * (1 + len(ends)))[STEPS - LAST :]
        return sum(last) / LAST if len(last) == LAST else math.inf

    choice = chosen(range_test(fresh, lambda step: on_step(step, most)))
    ends: dict[float, float] = {}
    rate: float | None = _two_digits(choice.rate)
    while rate is not None and len(ends) < TRIALS:
        ends[rate] = end(rate)
        rate = _next(ends)
    on_step(most, most)
    taken = _lowest_good_rate(ends)
    if not math.isfinite(ends[taken]):
        raise _no_rate()
    return FoundRate(taken, _note(taken, choice, ends))


def _lowest_good_rate(ends: Mapping[float, float]) -> float:
    """Return the lowest rate that does as well as the best, given the final losses of the trials by rate."""
    least = min(ends.values())
    return min(rate for rate, end in ends.items() if end <= least + (AS_GOOD - 1) * abs(least))


def _next(ends: Mapping[float, float]) -> float | None:
    """Return the next rate to try, or None once a lower and a higher rate than the chosen one have been tried.

    Lower rates come first, since above a rate at which a model dies there may be one at which it survives by chance,
    and not for long.
    """
    taken = _lowest_good_rate(ends)
    if taken == min(ends):
        return _two_digits(taken / APART)
    return _two_digits(taken * APART) if taken == max(ends) else None


def _note(taken: float, choice: Choice, ends: Mapping[float, float]) -> str:
    tried = ", ".join(
        f"{rate:g} ({f'{end:.4g}' if math.isfinite(end) else 'failed'})" for rate, end in sorted(ends.items())
    )
    return (
        f"lr auto: {taken:g}, from a range test of {STEPS} steps ({DONE:.0%} of the fall of the loss was reached at "
        f"{choice.fallen:.1e}, the lowest loss at {choice.bottom:.1e}), and from the losses after {STEPS} steps with "
        f"{tried}"
    )


def _no_rate() -> TrainingError:
    return TrainingError(
        "the range test of `lr=auto` found no rate at which the loss falls: write one, such as `lr=1e-3`, and run "
        "`caedsl check` on the spec"
    )


def range_test(fresh: Training, on_step: Callable[[int], None] = lambda step: None) -> list[Point]:
    """Return the rates and the losses of up to ``STEPS`` steps of a run like ``fresh``, which has a rate of 1."""
    rising = _rising(fresh)
    losses = _losses(copy_of(fresh), rising, on_step)
    return [Point(*point) for point in zip(rising, losses, strict=False)]


def _rising(fresh: Training) -> list[float]:
    highest = _highest(fresh)
    return [highest * 10 ** (DECADES * (step / (STEPS - 1) - 1)) for step in range(STEPS)]


def _in_miniature(fresh: Training, peak: float) -> list[float]:
    return [peak * factor for factor in in_miniature(fresh, STEPS)]


def _losses(trial: Training, rates: Sequence[float], on_step: Callable[[int], None]) -> list[float]:
    """Return the loss before each step at these rates, up to the first that has exploded or is not finite."""
    losses: list[float] = []
    for step, loss in enumerate(steps_at(trial, rates, batches_of(trial, "range test"), "range test")):
        on_step(step)
        recent = [*losses[-2 * WINDOW :], loss]
        if not math.isfinite(loss) or sum(recent) / len(recent) > DIVERGED * min(_smoothed([*losses, loss])):
            break
        losses.append(loss)
    return losses


def _highest(trial: Training) -> float:
    optimizer, loss = trial.settings.optimizer, trial.settings.loss
    if not optimizer.kind.scales:
        return ADAPTIVE_TOP
    pixels = math.prod(trial.train.target_shape) if loss.reduction == "sum" else 1
    return SGD_TOP * (1 - optimizer.momentum) / (pixels * sum(term.weight for term in loss.terms))


def chosen(points: Sequence[Point]) -> Choice:
    """Return the result of a test. Raise ``TrainingError`` if its loss never fell."""
    losses = _smoothed([point.loss for point in points])
    first, lowest = (losses[0], min(losses)) if losses else (math.nan, math.nan)
    if not lowest < (1 - LEAST_FALL) * first:
        raise _no_rate()
    bottom = points[losses.index(lowest)].rate
    done = next(place for place, loss in enumerate(losses) if loss <= first - DONE * (first - lowest))
    fallen = points[done].rate
    return Choice(min(fallen, BELOW_LOWEST * bottom), fallen, bottom)


def _two_digits(rate: float) -> float:
    return float(f"{rate:.1e}")


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Return each loss averaged with the losses of the steps around it."""
    around = [losses[max(0, place - WINDOW) : place + WINDOW + 1] for place in range(len(losses))]
    return [sum(part) / len(part) for part in around]
