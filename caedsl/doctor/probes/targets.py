"""Check the targets of pairs: are they images, and can they be predicted from the inputs?"""

from dataclasses import dataclass

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import Subject, some
from caedsl.training.monitors.engine.pair_measurement import relation_of
from caedsl.training.monitors.engine.pair_relation import PairRelation

MOST_PAIRS = 2_400


@dataclass(frozen=True)
class TargetEvidence(PairRelation):
    """Relation of the targets of ``pairs`` pairs to their inputs."""

    pairs: int

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        return [
            f"{self.pairs:,} pairs of an input and a target: {self.flat:.0%} of the targets are one value each; a "
            f"linear map of the inputs explains {max(0.0, self.explained):.1%} of the variance of the targets",
            f"the targets of similar inputs are {self.nearest:.2f} times as far apart as those of any two inputs",
        ]


class TargetProbe:
    """Probe of the module."""

    name = "targets"
    purpose = "comparing targets with inputs"

    def run(self, subject: Subject, tell: StepProgress = silent) -> TargetEvidence:
        """See ``Probe``."""
        pairs = some(subject.train, MOST_PAIRS)
        found = relation_of(pairs.seen, pairs.target, subject.settings.seed)
        tell(1, 1)
        return TargetEvidence(found.flat, found.explained, found.nearest, len(subject.train))
