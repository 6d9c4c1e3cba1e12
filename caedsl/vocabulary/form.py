"""Base of the forms of a bottleneck; one subclass a file in ``bottlenecks/``, found by its name."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FRACTION, NOT_NEGATIVE, LayerOption, Option, Type

CODE_L1: LayerOption[float] = LayerOption(
    "l1", Type.NUMBER, 0.0, "λ of λ·Σ|z| over the code, added to the loss: a sparse autoencoder", domain=NOT_NEGATIVE
)
NOISE: LayerOption[float] = LayerOption(
    "noise", Type.NUMBER, 0.0, "deviation of Gaussian noise on the code while training", domain=NOT_NEGATIVE
)
WARMUP: LayerOption[float] = LayerOption(
    "warmup", Type.SHARE, 0.0, "share of all steps over which the weight rises from 0", domain=FRACTION
)
CODE_OPTIONS: tuple[Option, ...] = (CODE_L1, NOISE)


class Form:
    """Form of a bottleneck: its options, the lines that make the code, and what the code adds to the loss.

    The docstring of a subclass is its entry in the language reference.
    """

    name: ClassVar[str]
    words: ClassVar[tuple[str, ...]]
    """What a line says after ``bottleneck`` to choose this form."""
    options: ClassVar[tuple[Option, ...]]
    example: ClassVar[str]
    inherits: ClassVar[bool] = False
    """Whether ``defaults`` of the layer that makes the code hold for it."""
    makes_vector: ClassVar[bool] = False
    """Whether the code is a vector, so that the decoder starts with the way back to the map."""
    limits_copying: ClassVar[bool] = False
    """Whether the form by itself keeps a model from copying its input, however large the code."""
    block: ClassVar[bool] = False
    """Whether the code is made by layers in braces."""
    has_prior: ClassVar[bool] = False
    """Whether codes are drawn alike to a standard normal distribution, so that draws from it decode to new samples."""

    def drafts(self, values: Mapping[str, Any]) -> Sequence[Draft]:
        """Return the lines that make the code."""
        return ()

    def weights(self, values: Mapping[str, Any]) -> Mapping[str, float]:
        """Return what the form itself adds to the loss: the weight of each term by its name."""
        return {}

    def methods(self) -> Mapping[str, str]:
        """Return the method of the code's last module that computes a term, by its name; others have `divergence`."""
        return {}

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return why an option cannot stand beside the others, or None; ``given`` are those that the line gives."""
        return None


def without_penalty(options: Sequence[Option]) -> tuple[Option, ...]:
    """Return the options of a layer without its penalty on weights, whose name means the code's on such a line."""
    return tuple(option for option in options if option.name != CODE_L1.name)
