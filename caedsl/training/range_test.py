"""``lr auto``: a range test (Smith 2017, "Cyclical learning rates for training neural networks", arXiv 1506.01186).

The rate rises exponentially over a hundred steps of a fresh model, which cost what a hundred steps of training cost, and
the loss is watched. It stays, falls, and grows again: the rate that is taken is the one by which 85 % of the fall are
done, and at most a third of the one where the loss was lowest. A rate that rises passes quickly over one at which a model
dies, so that a hundred steps at the rate are then taken: where they end above what the test reached, lower ones are tried.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor

from caedsl.training.errors import TrainingError
from caedsl.training.loop import Training
from caedsl.training.seeds import derived_seed
from caedsl.training.trials import copy_of

STEPS = 100
DECADES = 5
ADAPTIVE_TOP, SGD_TOP = 1.0, 100.0
"""The highest rates tried. Steps of Adam and its kin are about as large as the rate, whatever the loss; SGD's are as large
as the gradient, so that its rates are those for a loss averaged over pixels, without momentum."""

DIVERGED = 4.0
"""The test ends where the loss is so many times its best: fastai's and Lightning's figure."""

DONE, BELOW_LOWEST = 0.85, 1 / 3
"""Together these came nearest to the best of sweeps of fixed rates (five optimizers, three losses, digits and MNIST), and
stayed below most rates that fail; the rate of the steepest fall is 2 to 30 times smaller than the best."""

ATTEMPTS, LOWER = 3, 3.0
"""How many rates are tried for a hundred steps each, at the most, and how many times smaller the next is."""

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
    """What the losses of a test say: the rate to take, where the fall was done, where the loss was lowest, and how low."""

    rate: float
    fallen: float
    bottom: float
    lowest: float


def find_rate(fresh: Training, on_step: Callable[[int, int], None] = lambda done, total: None) -> FoundRate:
    """The learning rate for a run like ``fresh``, which itself is left as it is.

    ``fresh`` has a rate of 1 and no schedule, as the test sets the rate of each step. Its losses are those of training,
    penalties included. A ``TrainingError`` where the loss falls at no rate. ``on_step`` is told how many steps are done, of
    how many at the most.
    """
    most = STEPS * (1 + ATTEMPTS)

    def losses(rates: Sequence[float], before: int) -> list[float]:
        return _losses(copy_of(fresh), rates, lambda step: on_step(before + step, most))

    rising = _rising(fresh)
    choice = chosen([Point(*point) for point in zip(rising, losses(rising, 0), strict=False)])
    ends: dict[float, float] = {}
    for attempt in range(ATTEMPTS):
        rate = _two_digits(choice.rate / LOWER**attempt)
        last = losses([rate] * STEPS, STEPS * (attempt + 1))
        ends[rate] = _smoothed(last)[-1] if len(last) == STEPS else math.inf
        if ends[rate] <= choice.lowest:
            break
    on_step(most, most)
    return _found(choice, ends)


def _found(choice: Choice, ends: Mapping[float, float]) -> FoundRate:
    rate = min(ends, key=lambda tried: ends[tried])
    first = next(iter(ends))
    lowered = "" if rate == first else f", lowered from {first:g}, at which training did not do as well"
    note = (
        f"lr auto: {rate:g}, from a range test of {STEPS} steps ({DONE:.0%} of the fall of the loss were done at "
        f"{choice.fallen:.1e}, and it was lowest at {choice.bottom:.1e}) and {STEPS} steps at that rate{lowered}"
    )
    return FoundRate(rate, note)


def _rising(fresh: Training) -> list[float]:
    highest = _highest(fresh)
    return [highest * 10 ** (DECADES * (step / (STEPS - 1) - 1)) for step in range(STEPS)]


def _losses(trial: Training, rates: Sequence[float], on_step: Callable[[int], None]) -> list[float]:
    """The loss before each step at these rates, as far as it has neither exploded nor become infinite."""
    losses: list[float] = []
    with trial.stepping():
        torch.manual_seed(derived_seed(trial.settings.seed, "range test", "layers"))
        trial.generator.manual_seed(derived_seed(trial.settings.seed, "range test", "disturbance"))
        trial.module.train()
        for step, (rate, x_bchw) in enumerate(zip(rates, _batches(trial), strict=False)):
            on_step(step)
            # The plateau's factor is what a run's rate may change by between two steps.
            trial.plateau.factor = rate
            total, _ = trial.optimize(x_bchw)
            loss = total.item()
            recent = [*losses[-2 * WINDOW :], loss]
            if not math.isfinite(loss) or sum(recent) / len(recent) > DIVERGED * min(_smoothed([*losses, loss])):
                break
            losses.append(loss)
    return losses


def _highest(trial: Training) -> float:
    optimizer, loss = trial.settings.optimizer, trial.settings.loss
    if optimizer.name != "sgd":
        return ADAPTIVE_TOP
    pixels = math.prod(trial.train.shape) if loss.reduction == "sum" else 1
    return SGD_TOP * (1 - optimizer.momentum) / (pixels * sum(term.weight for term in loss.terms))


def _batches(trial: Training) -> Iterator[Tensor]:
    """Batches as in training, in orders of the test's own."""
    for number in count():
        yield from trial.train.shuffled(
            trial.settings.batch, derived_seed(trial.settings.seed, "range test", "order", number)
        )


def chosen(points: Sequence[Point]) -> Choice:
    """What a test comes to; a ``TrainingError`` where its loss never fell."""
    losses = _smoothed([point.loss for point in points])
    first, lowest = (losses[0], min(losses)) if losses else (math.nan, math.nan)
    if not lowest < (1 - LEAST_FALL) * first:
        raise TrainingError(
            "the range test of `lr=auto` found no rate at which the loss falls: write one, such as `lr=1e-3`, "
            "and see what `caedsl check` says of the spec"
        )
    bottom = points[losses.index(lowest)].rate
    done = next(place for place, loss in enumerate(losses) if loss <= first - DONE * (first - lowest))
    fallen = points[done].rate
    return Choice(min(fallen, BELOW_LOWEST * bottom), fallen, bottom, lowest)


def _two_digits(rate: float) -> float:
    return float(f"{rate:.1e}")


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Each loss averaged with those of the steps around it."""
    around = [losses[max(0, place - WINDOW) : place + WINDOW + 1] for place in range(len(losses))]
    return [sum(part) / len(part) for part in around]
