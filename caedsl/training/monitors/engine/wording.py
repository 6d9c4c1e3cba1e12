"""Words that several monitors share."""

from caedsl.model.settings import Settled
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.spelling import number_text

GOOD_RATE = 1e-3
"""Learning rate to suggest for adaptive optimizers if the rate was far from it: 0.1 never trained in the pilot."""


def lower_rate(settings: Settled, factor: float = 10) -> str:
    """Return advice to divide the learning rate by ``factor``, or to use the usual one if it is far above."""
    lr = settings.optimizer.lr / factor
    if settings.optimizer.kind.adaptive and settings.optimizer.lr > 10 * GOOD_RATE:
        lr = GOOD_RATE
    return f"a smaller learning rate, such as {_rate(settings, lr)}"


def higher_rate(settings: Settled, factor: float = 10) -> str:
    """Return advice to multiply the learning rate by ``factor``, or to use the usual one if it is far below."""
    lr = settings.optimizer.lr * factor
    if settings.optimizer.kind.adaptive and lr < GOOD_RATE / 10:
        lr = GOOD_RATE
    return f"a larger learning rate, such as {_rate(settings, lr)}"


def _rate(settings: Settled, lr: float) -> str:
    return f"`optimizer {settings.optimizer.name} lr={number_text(float(f'{lr:.2g}'))}`"


def dying_activation(words: str) -> str | None:
    """Return the activation on a layer's line if it has no gradient below zero, otherwise None."""
    return next((word for word in words.split() if word in FUNCTIONS and FUNCTIONS[word].dies), None)


def one_of(remedies: list[str]) -> str:
    """Join remedies as ``a``, ``a or b``, or ``a, b or c``."""
    return " or ".join([", ".join(remedies[:-1]), remedies[-1]]) if len(remedies) > 1 else remedies[0]


def times(factor: float) -> str:
    """Return a factor in words, such as ``2.4 times`` or ``3,100 times``."""
    return f"{factor:,.1f} times" if factor < 10 else f"{factor:,.0f} times"
