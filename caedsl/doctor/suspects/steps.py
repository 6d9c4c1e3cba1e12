"""Suspicions about the first steps: learning rates, layers that die, modes that differ."""

from collections.abc import Iterator

from caedsl.doctor.suspects.network import leaky
from caedsl.doctor.suspicion import CERTAIN, LIKELY, POSSIBLE, ProbesSoFar, ProposedChange, Suspicion
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.causes import KNOWN
from caedsl.vocabulary.spelling import number_text

SLOW, FAST = 2e-4, 0.1
"""Update sizes relative to the weights that are too small and too large: healthy pilot runs had 0.0024 to 0.0155."""
FAR = 5.0
"""Factor between a rate and the result of a range test that is suspicious: the test may be several times off."""
QUICKER = 8.0
"""Factor by which a rate must be higher to be tried when nothing is wrong."""


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the first steps."""
    yield from _rates(seen)
    yield from _dead(seen)
    if seen.modes_differ and seen.first is not None:
        normed = any("norm=batch" in layer.place for layer in (seen.start.layers if seen.start else ()))
        yield Suspicion(
            "small-batch-norm" if normed else "heavy-dropout",
            LIKELY,
            f"of the same training images {seen.first.judged:.1%} is left in eval mode, "
            f"and {seen.first.trained:.1%} in train mode",
            seen.setting("train.batch"),
            KNOWN["small-batch-norm" if normed else "heavy-dropout"].remedy,
        )


def _rates(seen: ProbesSoFar) -> Iterator[Suspicion]:
    if seen.memorise is None:
        return
    updates = list(seen.memorise.updates.values())
    own = seen.subject.settings.optimizer.lr
    rate = seen.rate.suited if seen.rate is not None else None
    ill = seen.memorise.failed or seen.memorise.slow
    wild = not seen.memorise.finite or (seen.first is not None and not seen.first.finite)
    if wild or any(update > FAST for update in updates) or (ill and rate is not None and rate * FAR < own):
        yield _rate(seen, "high-learning-rate", rate if rate and rate < own / 2 else own / 10)
    elif (ill and updates and max(updates) < SLOW) or (rate is not None and rate > (FAR if ill else QUICKER) * own):
        yield _rate(seen, "low-learning-rate", rate if rate and rate > own * 2 else own * 10)


def _rate(seen: ProbesSoFar, cause: str, lr: float) -> Suspicion:
    assert seen.memorise is not None
    own, ill = seen.subject.settings.optimizer.lr, seen.memorise.failed or seen.memorise.slow
    updates = list(seen.memorise.updates.values())
    measured = bool(updates) and (max(updates) < SLOW or max(updates) > FAST)
    evidence = [f"updates are {min(updates):.1e} to {max(updates):.1e} of the weights"] if updates else []
    if seen.rate is not None and seen.rate.suited is not None:
        evidence.append(f"a range test suggests {seen.rate.suited:.1e}, and the spec has {own:.1e}")
    if not seen.memorise.finite:
        evidence.append("the loss becomes infinite")
    text = f"lr={number_text(float(f'{lr:.1e}'))}"
    return Suspicion(
        cause,
        (CERTAIN if measured else LIKELY) if ill else POSSIBLE,
        "; ".join(evidence),
        seen.setting("train.optimizer"),
        f"use `{text}`",
        _lr(seen, text),
    )


def _lr(seen: ProbesSoFar, text: str) -> tuple[ProposedChange, ...]:
    edits = write_setting(seen.subject.model, "optimizer", "lr", text)
    return (ProposedChange(f"`{text}`", edits),) if edits else ()


def _dead(seen: ProbesSoFar) -> Iterator[Suspicion]:
    first, start = seen.first, seen.start
    died = [number for number in first.dead if start is None or number not in start.dead] if first is not None else []
    if first is not None and died:
        yield Suspicion(
            "dead-layer",
            LIKELY if seen.symptoms() or first.left > 1 else POSSIBLE,
            f"after {first.steps:,} steps it is 0 for every image, and at the start it was not",
            seen.layer(died[0]),
            KNOWN["dead-layer"].remedy,
            leaky(seen, died),
        )
