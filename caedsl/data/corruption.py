"""Corruption of the input of a denoiser."""

import torch
from torch import Tensor

from caedsl.backends.torch import corruption
from caedsl.data.batch_share import BatchShare
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt
from caedsl.vocabulary.corruptions import CORRUPTIONS


def corrupt(
    x: Tensor, settings: Corrupt, input_range: InputRange, generator: torch.Generator, part: BatchShare | None = None
) -> Tensor:
    """Return a corrupted copy of the samples, or the samples themselves without corruption; dtype and device are kept.

    ``generator`` is on the device of the samples, which are ``part`` of a batch (by default all of it).
    """
    part = part or BatchShare.all_of(len(x))
    for name, amount in settings.amounts().items():
        kind = CORRUPTIONS[name]
        drawn = part.cut(getattr(corruption, kind.draw)(x, part.whole, generator))
        x = getattr(corruption, kind.apply)(x, drawn, amount, input_range.low, input_range.high)
    return x
