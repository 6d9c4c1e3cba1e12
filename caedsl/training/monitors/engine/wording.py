"""Words that several monitors share, and advice about the learning rate."""

from collections.abc import Sequence

from caedsl.rules.engine.symptoms import rate_fault
from caedsl.training.monitors.engine.observation import LayerFacts, RunSoFar
from caedsl.vocabulary.spelling import number_text

GOOD_RATE = 1e-3
"""Learning rate to suggest for adaptive optimizers if the rate was far from it: 0.1 never trained in the pilot."""
LOWEST, HIGHEST, HIGHEST_OF_SGD = GOOD_RATE / 10, 10 * GOOD_RATE, 1.0
"""Rates that no advice goes below or above: beyond them, another cause is likelier."""
CLIP = ("`clip 1.0` in the train block",)
RANDOM = "random initial weights, as `nn.init.kaiming_uniform_` draws them: all units of this layer have the same"
DOCTOR = "what `caedsl doctor` finds by trying"


def lower_rate(run: RunSoFar, factor: float = 10) -> list[str]:
    """Return advice to divide the learning rate by ``factor``, or to use the usual one if it is far above.

    Return none if the rate is low already, if ``caedsl check`` finds that it is, or if the steps are too small.
    """
    optimizer = run.facts.settings.optimizer
    if optimizer.lr <= LOWEST or run.creeps or rate_fault(run.facts.findings()) == "low":
        return []
    far = optimizer.kind.adaptive and optimizer.lr > HIGHEST
    return [f"a smaller learning rate such as {_rate(GOOD_RATE if far else max(LOWEST, optimizer.lr / factor))}"]


def higher_rate(run: RunSoFar, factor: float = 10) -> list[str]:
    """Return advice to multiply the learning rate by ``factor``, or to use the usual one if it is far below.

    Return none if the rate is high already, if ``caedsl check`` finds that it is, or if the steps are too large.
    """
    optimizer = run.facts.settings.optimizer
    highest = HIGHEST if optimizer.kind.adaptive else HIGHEST_OF_SGD
    if optimizer.lr >= highest or run.leaps or rate_fault(run.facts.findings()) == "high":
        return []
    far = optimizer.kind.adaptive and optimizer.lr < LOWEST
    return [f"a larger learning rate such as {_rate(GOOD_RATE if far else min(highest, factor * optimizer.lr))}"]


def _rate(lr: float) -> str:
    return f"`lr={number_text(float(f'{lr:.2g}'))}`"


def with_lower_rate(run: RunSoFar, others: Sequence[str], factor: float = 10) -> str:
    """Join remedies with advice to lower the learning rate.

    It comes first for a rate above the usual one. Up to that it comes last, because the rate may have been lowered
    before, as this advised.
    """
    lower = lower_rate(run, factor)
    first = run.facts.settings.optimizer.lr > GOOD_RATE
    return one_of([*lower, *others] if first else [*others, *lower])


def dying_activation(layer: LayerFacts) -> str | None:
    """Return the activation of a layer if it has no gradient below zero, otherwise None."""
    return layer.function.name if layer.function.dies else None


def one_of(remedies: Sequence[str]) -> str:
    """Join remedies as ``a``, ``a or b``, or ``a, b or c``; without any, refer to ``caedsl doctor``."""
    remedies = remedies or (DOCTOR,)
    return " or ".join([", ".join(remedies[:-1]), remedies[-1]]) if len(remedies) > 1 else remedies[0]


def times(factor: float) -> str:
    """Return a factor in words, such as ``2.4 times`` or ``3,100 times``."""
    return f"{factor:,.1f} times" if factor < 10 else f"{factor:,.0f} times"
