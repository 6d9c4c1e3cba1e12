"""Range test of the learning rate: a hundred steps at rising rates, as for ``lr=auto``."""

from dataclasses import dataclass, replace

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import Subject
from caedsl.doctor.wording import rounded
from caedsl.runs.errors import TrainingError
from caedsl.training.search.learning_rate import STEPS, chosen, range_test

LARGEST_BATCH = 64
"""Largest batch; larger ones are cut to this, since the range of usable rates hardly depends on the batch."""


@dataclass(frozen=True)
class RateEvidence:
    """Rates that were tried with the loss at each, and the ``suited`` one; None if the loss never fell.

    ``lowest`` is the rate at which the loss was lowest, ``own`` the rate of the spec.
    """

    own: float
    suited: float | None
    lowest: float | None
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        if self.suited is None:
            return [f"in a range test of {STEPS} steps, the loss does not fall at any learning rate"]
        assert self.lowest is not None
        return [
            f"a range test of {STEPS} steps suggests lr={rounded(self.suited)} (the loss is lowest at "
            f"{rounded(self.lowest)}), and the spec has lr={rounded(self.own)}"
        ]


class RateProbe:
    """Probe of the module."""

    name = "rate"
    purpose = "testing learning rates from low to high"

    def run(self, subject: Subject, tell: StepProgress = silent) -> RateEvidence:
        """See ``Probe``."""
        settings = subject.settings
        own = settings.optimizer.lr
        at_one = replace(
            settings,
            optimizer=replace(settings.optimizer, lr=1.0),
            ema=None,
            batch=min(settings.batch, LARGEST_BATCH),
            accumulate=1,
        )
        fresh = replace(subject, settings=at_one).fresh()
        points = range_test(fresh, lambda step: tell(step + 1, STEPS))
        rates, losses = tuple(point.rate for point in points), tuple(point.loss for point in points)
        try:
            choice = chosen(points)
        except TrainingError:
            return RateEvidence(own, None, None, rates, losses)
        return RateEvidence(own, float(f"{choice.rate:.1e}"), choice.bottom, rates, losses)
