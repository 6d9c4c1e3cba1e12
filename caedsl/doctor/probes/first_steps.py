"""Take the first steps of the run: does the error fall, do the modes differ, do layers die?"""

from dataclasses import dataclass
from itertools import pairwise

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.probes.start import dead_layers, look
from caedsl.doctor.stepping import MOST_JUDGED, ErrorCurve, held_out_measure, left_of, take_steps
from caedsl.doctor.subject import Subject, some


@dataclass(frozen=True)
class FirstStepsEvidence:
    """The first ``steps`` steps of ``whole``, with the remaining share of the variance of held-out images.

    ``trained`` and ``judged`` are what is left of training images in train mode and in eval mode. ``test`` and
    ``test_trained`` are what is left of the test images in eval mode and in train mode, None without test images.
    ``dead`` names layers that are 0 for every image afterwards. ``jump`` is how much losses differ from step to step,
    as a share of their mean.
    """

    steps: int
    whole: int
    curve: ErrorCurve
    trained: float
    judged: float
    test: float | None
    test_trained: float | None
    dead: tuple[int, ...]
    places: tuple[str, ...]
    jump: float | None
    losses: tuple[float, ...]
    finite: bool

    @property
    def left(self) -> float:
        """Share of the variance of held-out images that is left at the end."""
        return self.curve.end

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        if not self.finite:
            return [f"the loss is not finite after {self.curve.steps[-1]} steps"]
        found = [
            f"after {self.steps:,} of {self.whole:,} steps {self.left:.1%} of the variance of held-out images is left; "
            f"of training images {self.judged:.1%}, in train mode {self.trained:.1%}"
        ]
        if self.test is not None:
            found.append(
                f"of the test images {self.test:.1%} is left, with statistics of their own {self.test_trained:.1%}"
            )
        if self.jump is not None:
            found.append(f"losses differ by {self.jump:.0%} of their mean from step to step")
        return [*found, *(f"{place}: 0 for every image by now" for place in self.places)]


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
        images = some(training.train, MOST_JUDGED)
        tests = some(subject.test, MOST_JUDGED) if subject.test is not None else None
        dead = dead_layers(look(subject, training)) if taken.finite else ()
        return FirstStepsEvidence(
            steps=len(taken.losses),
            whole=training.steps,
            curve=taken.curve,
            trained=left_of(training, images, mean, judged=False),
            judged=left_of(training, images, mean),
            test=left_of(training, tests, mean) if tests is not None else None,
            test_trained=left_of(training, tests, mean, judged=False) if tests is not None else None,
            dead=dead,
            places=tuple(subject.layer_place(number) for number in dead),
            jump=_jump(taken.losses),
            losses=taken.losses,
            finite=taken.finite,
        )


def _jump(losses: tuple[float, ...]) -> float | None:
    """Return the root mean square difference between neighbours over √2, as a share of the mean."""
    last = losses[-50:]
    mean = sum(last) / len(last) if last else 0.0
    if len(last) < 10 or mean <= 0:
        return None
    squares = [(after - before) ** 2 for before, after in pairwise(last)]
    return float((sum(squares) / len(squares) / 2) ** 0.5 / mean)
