"""Suspicions: a cause of the shared table with its evidence, its place and the change that would fix it."""

from collections.abc import Sequence
from dataclasses import dataclass

from caedsl.diagnostics.finding import Edit
from caedsl.doctor.probes.data import DataEvidence
from caedsl.doctor.probes.first_steps import FirstStepsEvidence
from caedsl.doctor.probes.memorise import FAILED, MemoriseEvidence
from caedsl.doctor.probes.rate import RateEvidence
from caedsl.doctor.probes.start import StartEvidence
from caedsl.doctor.probes.stretched import StretchedEvidence
from caedsl.doctor.probes.targets import TargetEvidence
from caedsl.doctor.subject import Subject
from caedsl.rules.engine.causes import KNOWN

POOR = 0.9
"""Share of the variance left above which a network is hardly better than the mean image, which leaves 1; a choice."""
ENOUGH = 500
"""Steps after which a poor error is meaningful: healthy networks leave the mean image at steps 40 to 240."""
FAR_WORSE = 2.5
"""Ratio of the errors of two sets of images above which the first is reconstructed far worse.

Digits of other writers reached 1.8, as test images compared with validation images.
"""
LEAST_LEFT = 0.1
"""Share of the variance left that a smaller one counts as in the ratio ``FAR_WORSE``: that of two small errors says
little."""
GAP = 1.5
"""Ratio of the error in eval mode to that in train mode above which the modes differ.

The threshold is TheDeepChecker's (Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs",
ACM TOSEM).
"""


@dataclass(frozen=True)
class ProposedChange:
    """Edits of the spec, sorted and disjoint, and a description of them."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Suspicion:
    """Possible cause of the failure.

    ``sure`` is its certainty (see ``certainty``). ``place`` is a line of the spec as shown to people, or the data.
    ``remedy`` says what to change. ``changes`` are edits that may do that, the best first; empty if the spec cannot fix
    the cause.
    """

    cause: str
    sure: float
    evidence: str
    place: str
    remedy: str
    changes: tuple[ProposedChange, ...] = ()

    @property
    def what(self) -> str:
        """The cause in words."""
        return KNOWN[self.cause].what


@dataclass(frozen=True)
class ProbesSoFar:
    """Evidence of the probes so far; None for a probe that has not run or was not needed."""

    subject: Subject
    data: DataEvidence
    start: StartEvidence | None = None
    memorise: MemoriseEvidence | None = None
    rate: RateEvidence | None = None
    first: FirstStepsEvidence | None = None
    targets: TargetEvidence | None = None
    stretched: StretchedEvidence | None = None

    def symptoms(self) -> Sequence[str]:
        """Return the symptoms that are present, by their names in the table of causes."""
        found = dict.fromkeys(self.subject.monitors)
        if not self.finite:
            found["not-finite"] = None
        if self.memorise is not None and self.fails:
            found["slow-start" if self.memorise.slow else "cannot-memorise"] = None
        if self.first is not None and self.stays_poor:
            found["poor-plateau"] = None
        if (
            self.first is not None
            and self.first.test is not None
            and self.first.test > FAR_WORSE * max(self.first.left, LEAST_LEFT)
        ) or self.overfits:
            found["held-out-gap"] = None
        if self.first is not None and self.modes_differ:
            found["train-eval-gap"] = None
        return list(found)

    @property
    def finite(self) -> bool:
        """Whether the loss of every training so far is finite."""
        return all(probe is None or probe.finite for probe in (self.memorise, self.first))

    @property
    def fails(self) -> bool:
        """Whether the network memorises too little or too slowly, and does not learn in the first steps either."""
        memorise, first = self.memorise, self.first
        learns = first is not None and first.finite and first.left <= FAILED
        return memorise is not None and (memorise.failed or memorise.slow) and not learns

    @property
    def stays_poor(self) -> bool:
        """Whether the error is still close to that of the mean image after enough steps."""
        first = self.first
        return first is not None and first.left > POOR and (first.steps >= ENOUGH or first.ended)

    @property
    def overfits(self) -> bool:
        """Whether validation images are reconstructed far worse than training images."""
        first = self.first
        return first is not None and first.left > FAR_WORSE * max(first.eval_mode, LEAST_LEFT)

    @property
    def modes_differ(self) -> bool:
        """Whether training images are reconstructed far worse in eval mode than in train mode."""
        first = self.first
        return first is not None and first.steps >= ENOUGH // 2 and first.eval_mode > GAP * first.train_mode

    def layer(self, number: int) -> str:
        """Return the place of a layer."""
        return self.subject.layer_place(number)

    def setting(self, name: str) -> str:
        """Return the place of a setting such as ``train.optimizer``."""
        return self.subject.places.of_setting(name).shown
