"""Take the first steps of the run: does the error fall, do the modes differ, do layers die?"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.probes.start import dead_layers, look
from caedsl.doctor.stepping import MOST_EVALUATED, ErrorCurve, held_out_measure, left_of, take_steps
from caedsl.doctor.subject import Subject, some
from caedsl.model.data import InputRange
from caedsl.training.loop import Training
from caedsl.training.objective import weight_penalty

AVERAGED = 20
"""Number of last steps over which the loss is averaged."""


@dataclass(frozen=True)
class FirstStepsEvidence:
    """The first ``steps`` steps of ``whole``, with the remaining share of the variance of held-out images.

    ``train_mode`` and ``eval_mode`` are what is left of training images in train mode and in eval mode. ``test`` and
    ``test_train_mode`` are what is left of the test images in eval mode and in train mode, None without test images.
    ``background`` compares an image at an end of the declared range with the mean image: the share of the variance that
    it leaves, and its loss over that of the mean image, for the end with the smaller loss; None for a range without
    ends. ``penalty`` is the weight penalty at the end, and ``loss`` the mean loss of the last steps, which includes it.
    ``dead`` names layers that are 0 for every image afterwards. ``jump`` is how much losses differ from step to step,
    as a share of their mean.
    """

    steps: int
    whole: int
    curve: ErrorCurve
    train_mode: float
    eval_mode: float
    test: float | None
    test_train_mode: float | None
    background: tuple[float, float] | None
    penalty: float
    loss: float
    dead: tuple[int, ...]
    places: tuple[str, ...]
    jump: float | None
    losses: tuple[float, ...]
    finite: bool

    @property
    def left(self) -> float:
        """Share of the variance of held-out images that is left at the end."""
        return self.curve.end

    @property
    def ended(self) -> bool:
        """Whether these are all the steps of the run."""
        return self.steps == self.whole

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        if not self.finite:
            return [f"the loss is no longer finite after {self.curve.steps[-1]} steps"]
        found = [
            f"after {self.steps:,} of {self.whole:,} steps, {self.left:.1%} of the variance of held-out images is "
            f"left, and {self.eval_mode:.1%} of that of training images ({self.train_mode:.1%} in train mode)"
        ]
        if self.test is not None:
            found.append(
                f"{self.test:.1%} of the variance of test images is left ({self.test_train_mode:.1%} in train mode)"
            )
        if self.penalty:
            found.append(f"the weight penalty is then {self.penalty:.3g}, and the loss including it {self.loss:.3g}")
        if self.jump is not None:
            found.append(f"the loss varies by {self.jump:.0%} of its mean from step to step")
        return [*found, *(f"{place}: its output is then 0 for every image" for place in self.places)]


class FirstStepsProbe:
    """Probe of the module; ``steps`` is the number of steps to take."""

    name = "first steps"
    purpose = "taking the first steps of the run"

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def run(self, subject: Subject, tell: StepProgress = silent) -> FirstStepsEvidence:
        """See ``Probe``."""
        training = subject.fresh()
        taken = take_steps(training, self.steps, held_out_measure(training), tell=tell)
        mean = some(training.train, 2_000).target.mean(dim=0)
        images = some(training.train, MOST_EVALUATED)
        tests = some(subject.test, MOST_EVALUATED) if subject.test is not None else None
        dead = dead_layers(look(subject, training)) if taken.finite else ()
        return FirstStepsEvidence(
            steps=len(taken.losses),
            whole=training.steps,
            curve=taken.curve,
            train_mode=left_of(training, images, mean, eval_mode=False),
            eval_mode=left_of(training, images, mean),
            test=left_of(training, tests, mean) if tests is not None else None,
            test_train_mode=left_of(training, tests, mean, eval_mode=False) if tests is not None else None,
            background=_background(training, subject.model.target.range, images.target, mean),
            penalty=float(weight_penalty(training.module, training.objective.penalties).detach()),
            loss=fmean(taken.losses[-AVERAGED:] or (0.0,)),
            dead=dead,
            places=tuple(subject.layer_place(number) for number in dead),
            jump=_jump(taken.losses),
            losses=taken.losses,
            finite=taken.finite,
        )


@torch.no_grad()
def _background(training: Training, declared: InputRange, target: Tensor, mean: Tensor) -> tuple[float, float] | None:
    """Return what an image at an end of the declared range leaves, and its loss over that of the mean image."""
    if declared.ends is None:
        return None

    def loss(image: Tensor) -> float:
        return float(training.objective.reconstruction(image.expand_as(target), target))

    best = min((torch.full_like(mean, end) for end in declared.ends), key=loss)
    around = float((target - mean).square().mean())
    return float((target - best).square().mean()) / max(around, 1e-30), loss(best) / max(loss(mean), 1e-30)


def _jump(losses: tuple[float, ...]) -> float | None:
    """Return the root mean square difference between neighbours over √2, as a share of the mean."""
    last = losses[-50:]
    mean = sum(last) / len(last) if last else 0.0
    if len(last) < 10 or mean <= 0:
        return None
    squares = [(after - before) ** 2 for before, after in pairwise(last)]
    return float((sum(squares) / len(squares) / 2) ** 0.5 / mean)
