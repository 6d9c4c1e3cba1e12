"""Random changes of the samples of a batch, drawn separately for each sample."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from caedsl.backends.torch import augmentation
from caedsl.backends.torch.draws import Draws
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment
from caedsl.vocabulary.augmentations import AUGMENTATIONS, AugmentationKind


class DrawnChange(NamedTuple):
    """Random numbers of one augmentation for the samples of a batch."""

    kind: AugmentationKind
    numbers: Tensor


def draw(x: Tensor, settings: Augment, draws: Draws) -> list[DrawnChange]:
    """Draw the changes of the samples ``x``; ``draws`` has their random numbers, on their device."""
    kinds = [(AUGMENTATIONS[name], amount) for name, amount in settings.amounts().items()]
    return [DrawnChange(kind, getattr(augmentation, kind.draw)(x, draws, kind.name, amount)) for kind, amount in kinds]


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
