"""Train for a number of steps, each the same as in a run, and measure during training."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from caedsl.backends.torch.draws import Draws
from caedsl.data.batch_share import BatchShare
from caedsl.data.sample import Sample
from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import some
from caedsl.training.loop import Training
from caedsl.training.search.trials import batches_of, in_miniature, steps_at

MOST_EVALUATED = 512
MARKS = (10, 60, 120)
"""Steps at which the size of an update is measured."""
ALIKE = 0.05
"""Difference of two shares of the variance left, relative to one, up to which they are alike."""
PURPOSE = "doctor"


@dataclass(frozen=True)
class ErrorCurve:
    """Share of the variance that is left, after each of several numbers of steps."""

    steps: tuple[int, ...]
    left: tuple[float, ...]

    @property
    def end(self) -> float:
        """Share that is left at the end."""
        return self.left[-1]

    def at(self, step: float) -> float:
        """Return the share that is left after a number of steps, interpolated linearly between measurements."""
        return float(np.interp(step, self.steps, self.left))

    def until(self, left: float) -> float:
        """Return the number of steps after which at most ``left`` is left for the first time, interpolated linearly.

        If that never happens, return the number of all steps.
        """
        if self.left[0] <= left:
            return 0.0
        for (start, above), (end, below) in pairwise(zip(self.steps, self.left, strict=True)):
            if below <= left:
                return start + (end - start) * (above - left) / (above - below)
        return float(self.steps[-1])


@dataclass(frozen=True)
class TakenSteps:
    """Steps that were taken: their losses, the share of the variance left after some of them, and relative updates.

    ``finite`` is False if the loss became non-finite, which ends the steps.
    """

    losses: tuple[float, ...]
    curve: ErrorCurve
    updates: dict[int, float]
    finite: bool


Measure = Callable[[Training], float]


def take_steps(
    training: Training,
    steps: int,
    measure: Measure,
    batches: Iterator[Sample] | None = None,
    every: int = 0,
    tell: StepProgress = silent,
) -> TakenSteps:
    """Take ``steps`` steps, into which the whole schedule is compressed; measure every ``every`` steps and at the end.

    ``batches`` are those of training by default, and ``every`` is an eighth of the steps.
    """
    factors = in_miniature(training, steps)
    every = every or max(1, steps // 8)
    losses: list[float] = []
    points: list[tuple[int, float]] = [(0, measure(training))]
    updates: dict[int, float] = {}
    before: list[Tensor] = _weights(training)
    following = steps_at(training, factors, batches or batches_of(training, PURPOSE), PURPOSE)
    for number, loss in enumerate(following, 1):
        if not math.isfinite(loss):
            following.close()
            return TakenSteps(tuple(losses), _curve([*points, (number, math.inf)]), updates, finite=False)
        losses.append(loss)
        if number in MARKS:
            updates[number] = _update(before, _weights(training))
        if number + 1 in MARKS:
            before = _weights(training)
        if number % every == 0 or number == steps:
            points.append((number, measure(training)))
            tell(number, steps)
    return TakenSteps(tuple(losses), _curve(points), updates, finite=math.isfinite(points[-1][1]))


def _curve(points: Sequence[tuple[int, float]]) -> ErrorCurve:
    return ErrorCurve(tuple(step for step, _ in points), tuple(left for _, left in points))


def _weights(training: Training) -> list[Tensor]:
    return [weight.detach().clone() for weight in training.module.parameters() if weight.dim() > 1]


def _update(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """Return the norm of an update over the norm of the weights."""
    moved = sum(float((new - old).square().sum()) for old, new in zip(before, after, strict=True))
    size = sum(float(old.square().sum()) for old in before)
    return math.sqrt(moved / size) if size else math.inf


@torch.no_grad()
def left_of(training: Training, images: Sample, mean: Tensor, eval_mode: bool = True) -> float:
    """Return the squared error on ``images`` over that of ``mean``, the mean image; in eval mode if ``eval_mode``.

    This is the share of the variance that is left (fraction of variance unexplained).

    Running statistics and random states are restored afterwards.
    """
    forms = (training.module, training.network)
    for form in forms:
        form.train(not eval_mode)
    kept = {name: buffer.clone() for name, buffer in training.module.named_buffers()}
    with torch.random.fork_rng([]), training.averaged():
        torch.manual_seed(training.settings.seed)
        draws = Draws(training.settings.seed).begin(0, len(images), device=training.train.device)
        sample = training.sample(images, draws, BatchShare.all_of(len(images)))
        prediction = training.module(sample.seen)
    for name, buffer in training.module.named_buffers():
        buffer.copy_(kept[name])
    for form in forms:
        form.train()
    error = float((prediction - sample.target).double().square().mean())
    around = float((sample.target - mean).double().square().mean())
    return error / max(around, 1e-30)


def held_out_measure(training: Training) -> Measure:
    """Return a function that measures the share of the held-out images' variance that is left."""
    mean = some(training.train, 2_000).target.mean(dim=0)
    images = some(training.validation or training.train, MOST_EVALUATED)
    return lambda now: left_of(now, images, mean)
