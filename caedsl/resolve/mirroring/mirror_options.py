"""How a mirror inverts layers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from caedsl.source import Span
from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.unpool import Unpool

UNPOOL = Unpool.name
"""Select with this word of ``upsample=`` that maxima return to their positions."""


class MirrorOptions(NamedTuple):
    """Options of ``decoder mirror``, and the place that its Lines point to.

    ``norm_options`` belong to ``norm``. ``code`` are the layers of the bottleneck, which are mirrored first. The mirror
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
