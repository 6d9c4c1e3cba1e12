"""Random changes of the samples of a batch, drawn separately for each sample."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from caedsl.backends.torch import augmentation
from caedsl.data.batch_share import BatchShare
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment
from caedsl.vocabulary.augmentations import AUGMENTATIONS, AugmentationKind


class DrawnChange(NamedTuple):
    """Random numbers of one augmentation for the samples of a batch."""

    kind: AugmentationKind
    numbers: Tensor


def draw(x: Tensor, settings: Augment, generator: torch.Generator, part: BatchShare | None = None) -> list[DrawnChange]:
    """Draw the changes of the samples ``x``, which are ``part`` of a batch (by default all of it).

    ``generator`` is on the device of the samples.
    """
    part = part or BatchShare.all_of(len(x))
    kinds = [(AUGMENTATIONS[name], amount) for name, amount in settings.amounts().items()]
    return [
        DrawnChange(kind, part.cut(getattr(augmentation, kind.draw)(x, part.whole, amount, generator)))
        for kind, amount in kinds
    ]


def apply(x: Tensor, changes: Sequence[DrawnChange], input_range: InputRange) -> Tensor:
    """Return the changed samples. The same changes move both images of a pair in the same way."""
    for kind, numbers in changes:
        x = getattr(augmentation, kind.apply)(x, numbers, input_range.low, input_range.high)
    return x


def apply_to_target(target: Tensor, x: Tensor, changes: Sequence[DrawnChange], target_range: InputRange) -> Tensor:
    """Return the targets of the samples ``x`` with the same changes, rescaled if they differ in size.

    Noise on the input does not change them.
    """
    alike = [DrawnChange(kind, resized(numbers, kind, x, target)) for kind, numbers in changes if not kind.input_alone]
    return apply(target, alike, target_range)


def resized(numbers: Tensor, kind: AugmentationKind, x: Tensor, target: Tensor) -> Tensor:
    """Convert numbers drawn for samples like ``x`` to targets of another size, by rescaling amounts in pixels."""
    return augmentation.at_size(numbers, x, target) if kind.in_pixels else numbers
