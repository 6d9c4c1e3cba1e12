"""Suspicions about the targets of pairs."""

from collections.abc import Iterator

from caedsl.doctor.suspects.data import of_data
from caedsl.doctor.suspicion import CERTAIN, ProbesSoFar, Suspicion

FLAT = 0.95
"""Share of constant targets from which the targets are labels."""
UNEXPLAINED, APART = 0.02, 0.95
"""Pairs are unrelated if a linear map explains less, and targets of similar inputs are as far apart as any two."""


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the pairs; nothing if images are their own targets."""
    targets = seen.targets
    if targets is None:
        return
    if targets.flat >= FLAT:
        yield of_data(
            seen, "label-target", CERTAIN, f"{targets.flat:.0%} of the targets have the same value in every pixel"
        )
    elif targets.explained < UNEXPLAINED and targets.nearest > APART:
        yield of_data(
            seen,
            "unrelated-target",
            CERTAIN,
            f"a linear map of the inputs explains {max(0.0, targets.explained):.1%} of the variance of held-out "
            f"targets, and the targets of similar inputs are {targets.nearest:.2f} times as far apart as those of any "
            "two inputs",
        )
