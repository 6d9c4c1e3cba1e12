"""Causes that the evidence rules out, and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from caedsl.doctor.suspects.data import FEW_DIFFERENT, HALF_LOST, USED
from caedsl.doctor.suspicion import ProbesSoFar
from caedsl.doctor.wording import percents
from caedsl.facts.steps import LARGE_UPDATE, SMALL_UPDATE


@dataclass(frozen=True)
class RuledOut:
    """Cause of the table that is ruled out, and the evidence against it."""

    cause: str
    why: str


def ruled_out(seen: ProbesSoFar) -> Iterator[RuledOut]:
    """Yield the causes that the probes have ruled out."""
    for cause, against in _AGAINST.items():
        why = against(seen)
        if why is not None:
            yield RuledOut(cause, why)


def _scale(seen: ProbesSoFar) -> str | None:
    used = seen.data.used
    return (
        f"the values of a typical image span {used:.0%} of the declared range"
        if used is not None and used >= USED
        else None
    )


def _copies(seen: ProbesSoFar) -> str | None:
    share = seen.data.different
    return f"{share:.0%} of the training images are different" if share >= FEW_DIFFERENT else None


def _code(seen: ProbesSoFar) -> str | None:
    left = seen.data.code_left
    if left is None or left > HALF_LOST:
        return None
    return f"PCA with as many numbers as the code explains {1 - left:.0%} of the variance"


def _signal(seen: ProbesSoFar) -> str | None:
    start = seen.start
    if start is None or start.insensitive or start.dead:
        return None
    return f"before training, the output varies {start.sensitivity:.2g} times as much as the images"


def _penalty(seen: ProbesSoFar) -> str | None:
    start = seen.start
    if start is None or not 0 < start.penalty <= 1:
        return None
    return f"at the start, the weight penalty is {start.penalty:.2g} times the loss of the mean image"


def _rate(seen: ProbesSoFar) -> str | None:
    updates = list(seen.memorise.updates.values()) if seen.memorise is not None else []
    if not updates or not all(SMALL_UPDATE <= update <= LARGE_UPDATE for update in updates):
        return None
    return f"a step changes the weights by {percents(updates)} of their size"


def _modes(seen: ProbesSoFar) -> str | None:
    first = seen.first
    if first is None or seen.modes_differ:
        return None
    return (
        f"{first.eval_mode:.1%} of the variance of training images is left in eval mode, and {first.train_mode:.1%} in "
        "train mode"
    )


_AGAINST: Mapping[str, Callable[[ProbesSoFar], str | None]] = {
    "image-scale": _scale,
    "duplicate-images": _copies,
    "code-too-small": _code,
    "dead-start": _signal,
    "fading-signal": _signal,
    "strong-l2": _penalty,
    "low-learning-rate": _rate,
    "high-learning-rate": _rate,
    "small-batch-norm": _modes,
    "heavy-dropout": _modes,
}
