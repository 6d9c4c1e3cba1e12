"""Suspicions about the first steps: learning rates, layers that die, modes that differ, heavy penalties."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from caedsl.doctor.certainty import CERTAIN, LIKELY, POSSIBLE, UNPROVEN
from caedsl.doctor.probes.stretched import fills_the_range
from caedsl.doctor.stepping import ALIKE
from caedsl.doctor.suspects.data import of_data
from caedsl.doctor.suspects.network import leaky, on_lines
from caedsl.doctor.suspicion import POOR, ProbesSoFar, ProposedChange, Suspicion
from caedsl.doctor.wording import percent, percents, rounded
from caedsl.facts.cost import total_parameters
from caedsl.facts.outputs import output_bounds
from caedsl.facts.steps import ENOUGH_STEPS, FEWEST_STEPS, LARGE_UPDATE, SMALL_UPDATE, loss_scale, smaller_batch
from caedsl.rules.data.tiny_dataset import FEW, TIMES
from caedsl.rules.edits.settings import write_setting, write_statement
from caedsl.rules.engine.causes import KNOWN
from caedsl.vocabulary.kernel_options import L2
from caedsl.vocabulary.spelling import number_text

FAR = 5.0
"""Ratio of a learning rate to the result of a range test from which it is suspicious; the test is itself inexact."""
QUICKER = 8.0
"""Ratio of the range test's rate to the spec's from which it is tried even if nothing is wrong."""
LONG, SHORTER = 5_000, 5
"""Steps of a run from which a higher rate also decays, and the most times as short as the run may become."""
HEAVY = 0.4
"""Share of the loss above its floor from which a weaker penalty is tried. On digits, 0.53 did no harm, 0.67 left up to
1.4 times the error of the same network without the penalty, and 0.81 twice the error, so that the trial decides."""
CHEAP = 1.25
"""Ratio of the loss of plain background to that of the mean image, up to which background is a cheap optimum.

Above it, only a trial shows whether another loss leads out of the background: on MNIST, the squared error of a black
image is 1.7 times that of the mean image.
"""
USUAL_DECAY = 0.01
"""Default of AdamW in PyTorch."""
WEAKER = 100
"""Factor by which a heavy penalty is divided."""


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the first steps."""
    yield from _rates(seen)
    yield from _dead(seen)
    yield from _penalty(seen)
    yield from _decay(seen)
    yield from _background(seen)
    yield from _few_images(seen)
    yield from _short_run(seen)
    if seen.modes_differ and seen.first is not None:
        normed = any("norm=batch" in layer.place for layer in (seen.start.layers if seen.start else ()))
        yield Suspicion(
            "small-batch-norm" if normed else "heavy-dropout",
            LIKELY,
            f"{seen.first.eval_mode:.1%} of the variance of training images is left in eval mode, and "
            f"{seen.first.train_mode:.1%} in train mode",
            seen.setting("train.batch"),
            KNOWN["small-batch-norm" if normed else "heavy-dropout"].remedy,
        )


def _rates(seen: ProbesSoFar) -> Iterator[Suspicion]:
    if seen.memorise is None:
        return
    updates = list(seen.memorise.updates.values())
    own = seen.subject.settings.optimizer.lr
    rate = seen.rate.suited if seen.rate is not None else None
    ill = seen.fails
    creeps = ill and bool(updates) and max(updates) < SMALL_UPDATE
    # Large first steps can saturate a network, whose steps are tiny from then on.
    if (
        not seen.finite
        or any(update > LARGE_UPDATE for update in updates)
        or (ill and rate is not None and rate * (1 if creeps else FAR) < own)
    ):
        yield _rate(seen, "high-learning-rate", rate if rate and rate < own / 2 else own / 10)
    elif creeps or (rate is not None and rate > (FAR if ill else QUICKER) * own):
        yield _rate(seen, "low-learning-rate", rate if rate and rate > own * 2 else own * 10)


def _rate(seen: ProbesSoFar, cause: str, lr: float) -> Suspicion:
    assert seen.memorise is not None
    own = seen.subject.settings.optimizer.lr
    updates = list(seen.memorise.updates.values())
    low = cause == "low-learning-rate"
    measured = bool(updates) and (max(updates) < SMALL_UPDATE if low else max(updates) > LARGE_UPDATE)
    evidence = []
    if measured:
        evidence.append(
            f"a step changes the weights by {percents(updates)} of their size "
            f"({percents((SMALL_UPDATE, LARGE_UPDATE))} is normal)"
        )
    if seen.rate is not None and seen.rate.suited is not None:
        evidence.append(f"a range test suggests lr={rounded(seen.rate.suited)}, and the spec has lr={rounded(own)}")
    if not seen.finite:
        evidence.append("the loss becomes infinite or NaN")
    other = _faster(seen, lr) if low and not seen.fails else _lr(seen, f"lr={rounded(lr)}")
    changes = (*(_adam(seen) if measured and low else ()), *other)
    # A range test alone may be several times off: only a trial shows whether the other rate is better.
    sure = CERTAIN if measured else UNPROVEN if seen.finite else LIKELY
    return Suspicion(
        cause,
        sure if seen.fails or not seen.finite else POSSIBLE,
        "; ".join(evidence),
        seen.setting("train.optimizer"),
        f"use {', or '.join(change.title for change in changes) or f'`lr={rounded(lr)}`'}",
        changes,
    )


def _lr(seen: ProbesSoFar, text: str) -> tuple[ProposedChange, ...]:
    edits = write_setting(seen.subject.model, "optimizer", "lr", text)
    return (ProposedChange(f"`{text}`", edits),) if edits else ()


def _faster(seen: ProbesSoFar, lr: float) -> tuple[ProposedChange, ...]:
    """Return the change to a higher rate for a network that learns; in a long run, to one that decays in fewer epochs.

    At a high rate that stays constant, the error stops falling, and the network may be ruined late: the article's third
    model was, after 13,000 steps (benchmarks/README.md). The mean of a cosine is half of its peak, so that the rates of
    all steps still add up to at least as much as before.
    """
    model, settings, changes = seen.subject.model, seen.subject.settings, _lr(seen, f"lr={rounded(lr)}")
    long = settings.schedule.kind.is_constant and seen.subject.baseline.steps >= LONG
    if not changes or not long or "train.epochs" not in model.places:
        return changes
    epochs = ceil(settings.epochs * max(1 / SHORTER, 2 * settings.optimizer.lr / lr))
    schedule = write_setting(model, "schedule", "schedule", "cosine")
    edits = (*changes[0].edits, *schedule, *write_setting(model, "epochs", "epochs", str(epochs)))
    title = f"{changes[0].title}, `schedule cosine` and `epochs {epochs}`"
    return (ProposedChange(title, tuple(sorted(edits, key=lambda edit: edit.span))),)


def _adam(seen: ProbesSoFar) -> tuple[ProposedChange, ...]:
    """Return the change to Adam, for an optimizer that stays slow at any rate."""
    if seen.subject.settings.optimizer.kind.adaptive or "train.optimizer" not in seen.subject.model.places:
        return ()
    text = "optimizer adam lr=1e-3"
    return (ProposedChange(f"`{text}`", write_statement(seen.subject.model, "optimizer", text)),)


def _dead(seen: ProbesSoFar) -> Iterator[Suspicion]:
    first, start = seen.first, seen.start
    died = [number for number in first.dead if start is None or number not in start.dead] if first is not None else []
    if first is not None and died:
        yield Suspicion(
            "dead-layer",
            LIKELY if seen.symptoms() or first.left > 1 else POSSIBLE,
            f"its output is 0 for every image after {first.steps:,} steps, although it was not at the start",
            seen.layer(died[0]),
            KNOWN["dead-layer"].remedy,
            leaky(seen, died),
        )


def _penalty(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the L2 penalty outweighs the error; only a trial shows whether that does harm."""
    first = seen.first
    if first is None or not first.penalty:
        return
    share = first.penalty / max(first.loss - _floor(seen), first.penalty)
    if share <= HEAVY:
        return
    layers = (origin.layer for origin in seen.subject.places.origins if origin.layer.options.get(L2, 0.0))
    changes = on_lines(
        f"`l2` divided by {WEAKER}", layers, L2, lambda layer: f"l2={number_text(layer.options[L2] / WEAKER)}"
    )
    if changes:
        yield Suspicion(
            "strong-l2",
            UNPROVEN,
            f"after {first.steps:,} steps, the weight penalty is {share:.0%} of what is left of the loss",
            seen.setting("train.loss"),
            KNOWN["strong-l2"].remedy,
            changes,
        )


def _decay(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that a decoupled weight decay shrinks the weights faster than the run can bear.

    ``caedsl check`` says the same about a spec whose number of images is known.
    """
    optimizer, first = seen.subject.settings.optimizer, seen.first
    if first is None or not optimizer.kind.decoupled or optimizer.weight_decay * optimizer.lr * first.whole <= 1:
        return
    edits = write_setting(seen.subject.model, "optimizer", "weight_decay", f"weight_decay={USUAL_DECAY}")
    share = optimizer.weight_decay * optimizer.lr
    yield Suspicion(
        "strong-weight-decay",
        UNPROVEN,
        f"each step takes {percent(share)} of every weight, and the run has {first.whole:,} steps",
        seen.setting("train.optimizer"),
        f"use `weight_decay={USUAL_DECAY}`",
        (ProposedChange(f"`weight_decay={USUAL_DECAY}`", edits),) if edits else (),
    )


def _background(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the output is plain background, which its loss makes likely or a trial must show."""
    first = seen.first
    if first is None or first.background is None or not (seen.fails or seen.stays_poor):
        return
    left, cost = first.background
    if abs(first.left / left - 1) > ALIKE:
        return
    suspicion = empty_background(
        seen,
        f"after {first.steps:,} steps, the output is the same background for every image, which has {cost:.2f} times "
        "the loss of the mean image",
    )
    yield suspicion if cost <= CHEAP else replace(suspicion, sure=UNPROVEN)


def empty_background(seen: ProbesSoFar, evidence: str) -> Suspicion:
    """Return the suspicion that plain background is a cheap optimum."""
    remedy = KNOWN["empty-background"].remedy
    return Suspicion(
        "empty-background",
        LIKELY,
        evidence,
        seen.setting("train.loss"),
        remedy if fills_the_range(seen.data) else f"scale the images to fill {seen.data.declared}, and {remedy}",
        other_losses(seen),
    )


def other_losses(seen: ProbesSoFar) -> tuple[ProposedChange, ...]:
    """Return the changes to losses that make plain background expensive."""
    model, loss = seen.subject.model, seen.subject.settings.loss
    texts = [] if loss.probabilities or output_bounds(model) != (0, 1) else ["bce"]
    texts += [] if loss.worst is not None else [f"{loss.terms[0].kind.name} worst=10%"]
    return tuple(
        ProposedChange(f"`loss {text}`", write_statement(model, "loss", f"loss {text}"))
        for text in texts
        if "train.loss" in model.places
    )


def _few_images(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the network memorises its few images."""
    first, count = seen.first, len(seen.subject.train)
    weights = total_parameters(seen.subject.model)
    if first is None or not seen.overfits or count >= FEW or weights <= TIMES * count:
        return
    yield of_data(
        seen,
        "tiny-dataset",
        LIKELY,
        f"{first.left:.1%} of the variance of held-out images is left, but {first.eval_mode:.1%} of that of the "
        f"{count:,} training images, for which there are {weights:,} weights",
    )


def _short_run(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the run ends too early, if the network can learn.

    ``caedsl check`` says the same about a spec whose number of images is known.
    """
    first, settings = seen.first, seen.subject.settings
    checked = any(finding.name in ("too-few-steps", "oversized-batch") for finding in seen.subject.findings)
    if first is None or not first.ended or first.left <= POOR or first.whole >= FEWEST_STEPS or checked:
        return
    if seen.memorise is None or seen.memorise.failed:
        return
    batch = smaller_batch(len(seen.subject.train), settings.batch, settings.epochs)
    cause, name, value = "oversized-batch", "batch", batch
    if batch is None:
        cause, name, value = "too-few-steps", "epochs", ceil(ENOUGH_STEPS * settings.epochs / first.whole)
    edits = write_setting(seen.subject.model, name, name, str(value))
    yield Suspicion(
        cause,
        LIKELY,
        f"the run ends after {first.whole:,} steps, with {first.left:.0%} of the variance left; healthy networks need "
        "40 to 240 steps to become better than the mean image",
        seen.setting(f"train.{name}"),
        f"use `{name} {value}`",
        (ProposedChange(f"`{name} {value}`", edits),) if edits else (),
    )


def _floor(seen: ProbesSoFar) -> float:
    """Return the lowest possible loss on the images, which only binary cross-entropy has."""
    loss = seen.subject.settings.loss
    share = sum(term.weight for term in loss.terms if term.kind.entropy) / sum(term.weight for term in loss.terms)
    return share * (seen.data.entropy or 0.0) * loss_scale(seen.subject.model, loss)
