"""How layers are undone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from caedsl.source import Span
from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.unpool import Unpool

UNPOOL = Unpool.name
"""Word of ``upsample=`` for maxima that go back to their places."""


class Manner(NamedTuple):
    """How layers are undone: the options of ``decoder mirror``, and the place that the Lines point at.

    ``norm_options`` are those of ``norm``. ``code`` are the layers of the bottleneck, whose twins come first. The twin
    of the output layer has ``channels``, by default those of the input.
    """

    at: Span
    upsample: str = "nearest"
    norm: str | None = None
    divisor: int = 1
    output: Activation = LINEAR
    skips: str = ""
    norm_options: Mapping[str, Any] = {}
    code: Sequence[Layer] = ()
    channels: int | None = None
