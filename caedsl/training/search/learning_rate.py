"""``lr auto``: a range test (Smith 2017, "Cyclical learning rates for training neural networks", arXiv 1506.01186).

The rate rises exponentially over a hundred steps of a fresh model, which cost what a hundred steps of training cost,
and the loss is watched. It stays, falls, and grows again: the rate to begin with is the one by which 85 % of the fall
are done, and at most a third of the one where the loss was lowest. That may be a decade off, and a rate that rises
passes quickly over one at which a model dies. So runs in miniature are then made with rates three times apart, until
the rate to take has one on either side: it is the lowest that does about as well as the best. A run in miniature goes
through the whole schedule in a hundred steps: a rate that kills a fresh model may be the best as the peak of a schedule
that rises to it and falls again.
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
"""The highest rates tried.

Steps of Adam and its kin are about as large as the rate, whatever the loss; SGD's are as large as the gradient, so that
its rates are those for a loss averaged over pixels, without momentum."""

DIVERGED = 4.0
"""The test ends where the loss is so many times its best: fastai's and Lightning's figure."""

DONE, BELOW_LOWEST = 0.85, 1 / 3
"""Together these came nearest to the best of sweeps of fixed rates (five optimizers, three losses, digits and MNIST).

The rate of the steepest fall is 2 to 30 times smaller than the best."""

TRIALS, APART = 4, 3.0
"""How many rates are tried for a hundred steps each, at the most, and how many times apart they are."""

AS_GOOD = 1.1
"""A rate whose loss is at most so many times the least does as well: the lower rate is the safer one.

On the recorded losses of seven runs (four optimizers, four specs) 1.1 led to at most 1.17 times the least loss of a
sweep, whether trials began where they do or 1.8 times above; 1.15 led to 1.28 and 1.25 to 1.44. With 1.15 SGD on the
digits stopped at a rate with 1.55 times the least."""

LAST = 10
"""Steps at the end of a trial whose mean loss is compared; all trials see the same batches."""

LEAST_FALL = 0.02
"""A smaller share of the first loss is noise of the batches."""

WINDOW = 3
"""Steps before and after one whose losses are averaged with its own."""


class Point(NamedTuple):
    """A step of the test: its rate, and the loss before it was taken."""

    rate: float
    loss: float


class FoundRate(NamedTuple):
    """The rate in two digits, and what is said of it."""

    rate: float
    note: str


class Choice(NamedTuple):
    """What the losses of a test say: the rate to begin with, where the fall was done, and where the loss was lowest."""

    rate: float
    fallen: float
    bottom: float


def find_rate(fresh: Training, on_step: Callable[[int, int], None] = lambda done, total: None) -> FoundRate:
    """Return the learning rate for a run like ``fresh``, which itself is left as it is.

    ``fresh`` has a rate of 1, and the schedule and the epochs of the run. The losses are those of training, penalties
    included. A ``TrainingError`` where the loss falls at no rate. ``on_step`` is told how many steps are done, of
    how many at the most.
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
    taken = _taken(ends)
    if not math.isfinite(ends[taken]):
        raise _no_rate()
    return FoundRate(taken, _note(taken, choice, ends))


def _taken(ends: Mapping[float, float]) -> float:
    """Return the lowest rate that does as well as the best, of the losses that trials ended with."""
    least = min(ends.values())
    return min(rate for rate, end in ends.items() if end <= least + (AS_GOOD - 1) * abs(least))


def _next(ends: Mapping[float, float]) -> float | None:
    """Return the rate to try after these; None where the one to take has been tried with a lower and a higher one.

    Lower ones come first: above a rate at which a model dies there may be one at which it lives by luck, and not for
    long.
    """
    taken = _taken(ends)
    if taken == min(ends):
        return _two_digits(taken / APART)
    return _two_digits(taken * APART) if taken == max(ends) else None


def _note(taken: float, choice: Choice, ends: Mapping[float, float]) -> str:
    tried = ", ".join(
        f"{rate:g} ({f'{end:.4g}' if math.isfinite(end) else 'failed'})" for rate, end in sorted(ends.items())
    )
    return (
        f"lr auto: {taken:g}, from a range test of {STEPS} steps ({DONE:.0%} of the fall of the loss were done at "
        f"{choice.fallen:.1e}, and it was lowest at {choice.bottom:.1e}), and the losses after runs of {STEPS} steps "
        f"with {tried}"
    )


def _no_rate() -> TrainingError:
    return TrainingError(
        "the range test of `lr=auto` found no rate at which the loss falls: write one, such as `lr=1e-3`, "
        "and see what `caedsl check` says of the spec"
    )


def range_test(fresh: Training, on_step: Callable[[int], None] = lambda step: None) -> list[Point]:
    """Return the rates and the losses of ``STEPS`` steps of a run like ``fresh``, which has a rate of 1."""
    rising = _rising(fresh)
    losses = _losses(copy_of(fresh), rising, on_step)
    return [Point(*point) for point in zip(rising, losses, strict=False)]


def _rising(fresh: Training) -> list[float]:
    highest = _highest(fresh)
    return [highest * 10 ** (DECADES * (step / (STEPS - 1) - 1)) for step in range(STEPS)]


def _in_miniature(fresh: Training, peak: float) -> list[float]:
    return [peak * factor for factor in in_miniature(fresh, STEPS)]


def _losses(trial: Training, rates: Sequence[float], on_step: Callable[[int], None]) -> list[float]:
    """Return the loss before each step at these rates, as far as it has neither exploded nor become infinite."""
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
    """Return what a test comes to; a ``TrainingError`` where its loss never fell."""
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
    """Each loss averaged with those of the steps around it."""
    around = [losses[max(0, place - WINDOW) : place + WINDOW + 1] for place in range(len(losses))]
    return [sum(part) / len(part) for part in around]
