"""Relation of targets to their inputs: plain numbers. Nothing here needs torch."""

from dataclasses import dataclass

LABELS = 0.95
"""Share of constant targets from which the targets are labels."""
UNEXPLAINED, APART = 0.02, 0.95
"""Pairs are unrelated if a linear map explains less, and targets of similar inputs are as far apart as any two."""


@dataclass(frozen=True)
class PairRelation:
    """Measurements of pairs of inputs and targets.

    ``flat`` is the share of the targets that are constant, 0 if those all have the same value. ``explained`` is the
    share of the variance of held-out targets that a linear map of the inputs explains. ``nearest`` is the squared
    distance between the target of an input and that of the most similar other input, relative to that of any two
    targets.
    """

    flat: float
    explained: float
    nearest: float

    @property
    def cause(self) -> str:
        """Cause of failing training that the pairs show, by its name in the table of causes; empty for good pairs."""
        if self.flat >= LABELS:
            return "label-target"
        return "unrelated-target" if self.explained < UNEXPLAINED and self.nearest > APART else ""

    @property
    def evidence(self) -> str:
        """Measurements that show the cause."""
        if self.flat >= LABELS:
            return f"{self.flat:.0%} of the targets have the same value in every pixel"
        return (
            f"a linear map of the inputs explains {max(0.0, self.explained):.1%} of the variance of held-out targets, "
            f"and the targets of similar inputs are {self.nearest:.2f} times as far apart as those of any two inputs"
        )
