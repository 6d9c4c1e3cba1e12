"""Test whether the network memorises the same images once they fill the declared range."""

from dataclasses import dataclass

from caedsl.data.sample import Sample
from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.probes.data import DataEvidence
from caedsl.doctor.probes.memorise import FAILED, IMAGES, STEPS, memorise
from caedsl.doctor.subject import Subject
from caedsl.model.data import InputRange

FILLED = 0.5
"""Share of the declared range, or standard deviation of real values, below which stretching is worth a trial."""


@dataclass(frozen=True)
class StretchedEvidence:
    """Share of the variance of a few images left after ``STEPS`` steps, if they are multiplied by ``factor``."""

    factor: float
    left: float

    @property
    def memorised(self) -> bool:
        """Whether these images were memorised."""
        return self.left <= FAILED

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        return [
            f"after {STEPS} steps on the same {IMAGES} images, stretched {self.factor:,.3g} times to fill the declared "
            f"range, {self.left:.1%} of their variance is left"
        ]


class StretchedProbe:
    """Probe of the module; ``data`` is what is known of the images."""

    name = "stretched"
    purpose = "memorising the same images, stretched over the declared range"

    def __init__(self, data: DataEvidence) -> None:
        self.data = data

    def run(self, subject: Subject, tell: StepProgress = silent) -> StretchedEvidence:
        """See ``Probe``."""
        start, factor = stretching(self.data, subject.model.input.range)

        def stretched(images: Sample) -> Sample:
            return Sample.of((images.seen - self.data.low) * factor + start)

        taken = memorise(subject, STEPS, tell, stretched)
        return StretchedEvidence(factor, taken.curve.end)


def fills_the_range(data: DataEvidence) -> bool:
    """Return whether stretching the images could hardly change anything."""
    return (data.used if data.used is not None else data.deviation) >= FILLED or data.high <= data.low


def stretching(data: DataEvidence, declared: InputRange) -> tuple[float, float]:
    """Return the lowest value of the stretched images, and the factor by which their differences grow."""
    if declared.ends is None:
        return (data.low - data.mean) / data.deviation, 1 / data.deviation
    low, high = declared.ends
    return low, (high - low) / (data.high - data.low)
