"""Base of the forms of a bottleneck; each file in ``bottlenecks/`` has one subclass, found by its name."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FRACTION, NOT_NEGATIVE, LayerOption, Option, Type

CODE_L1: LayerOption[float] = LayerOption(
    "l1", Type.NUMBER, 0.0, "λ of λ·Σ|z| over the code, added to the loss: a sparse autoencoder", domain=NOT_NEGATIVE
)
NOISE: LayerOption[float] = LayerOption(
    "noise", Type.NUMBER, 0.0, "standard deviation of Gaussian noise on the code during training", domain=NOT_NEGATIVE
)
WARMUP: LayerOption[float] = LayerOption(
    "warmup", Type.SHARE, 0.0, "share of all steps during which the weight rises from 0", domain=FRACTION
)
CODE_OPTIONS: tuple[Option, ...] = (CODE_L1, NOISE)


class Form:
    """Form of a bottleneck: its options, the lines that make the code, and the terms that it adds to the loss.

    The docstring of a subclass is its entry in the language reference.
    """

    name: ClassVar[str]
    words: ClassVar[tuple[str, ...]]
    """Words after ``bottleneck`` that select this form."""
    options: ClassVar[tuple[Option, ...]]
    example: ClassVar[str]
    inherits: ClassVar[bool] = False
    """Whether the ``defaults`` of the layer that makes the code apply to it."""
    makes_vector: ClassVar[bool] = False
    """Whether the code is a vector, so that the decoder starts with the inverse, back to the map."""
    limits_copying: ClassVar[bool] = False
    """Whether the form itself prevents copying of the input, however large the code."""
    block: ClassVar[bool] = False
    """Whether layers in braces make the code."""
    averages: ClassVar[bool] = False
    """Whether the terms are means over the values of the code, and not sums for each sample."""
    has_prior: ClassVar[bool] = False
    """Whether the codes follow a standard normal distribution, so that draws from it can be decoded to new samples."""

    def drafts(self, values: Mapping[str, Any]) -> Sequence[Draft]:
        """Return the lines that make the code."""
        return ()

    def weights(self, values: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the weight of each term that the form itself adds to the loss, by name."""
        return {}

    def methods(self) -> Mapping[str, str]:
        """Return the method of the code's last module that computes a term, by name; the default is `divergence`."""
        return {}

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return why an option cannot be combined with the others, or None; ``given`` are those written on the line."""
        return None


def without_penalty(options: Sequence[Option]) -> tuple[Option, ...]:
    """Return the options of a layer without its weight penalty, since that name means the code's penalty here."""
    return tuple(option for option in options if option.name != CODE_L1.name)
