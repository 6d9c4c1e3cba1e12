"""Suspicions about the targets of pairs."""

from collections.abc import Iterator

from caedsl.doctor.certainty import CERTAIN
from caedsl.doctor.suspects.data import of_data
from caedsl.doctor.suspicion import ProbesSoFar, Suspicion


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the pairs; nothing if images are their own targets."""
    targets = seen.targets
    if targets is not None and (cause := targets.cause):
        yield of_data(seen, cause, CERTAIN, targets.evidence)
