"""The batch of a step: what the network sees, and what it must return.

Training, validation, evaluation, probes and the search for a non-finite number all make their samples here.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from caedsl.data.augmentation import augment
from caedsl.data.batch_share import Part
from caedsl.data.corruption import corrupt
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt

NOT_AUGMENTED = Augment()


class Sample(NamedTuple):
    """Images of a batch: ``target`` is what the network must return, ``seen`` what it is given.

    ``weight`` is what their mean loss counts in the mean over all processes and parts of the step.
    """

    target: Tensor
    seen: Tensor
    weight: float = 1.0


def make_sample(
    images: Tensor,
    generator: torch.Generator,
    input_range: InputRange,
    corruption: Corrupt,
    augmentation: Augment = NOT_AUGMENTED,
    part: Part | None = None,
) -> Sample:
    """Make the sample of clean images: augment target and input alike, then corrupt the input.

    ``part`` is the share of this process in the batch; by default the images are the whole batch. Corruption is drawn
    on the device of ``generator``; the sample is on that of the images.
    """
    part = part or Part.all_of(len(images))
    target = augment(images, augmentation, input_range, generator, part)
    seen = corrupt(target.to(generator.device), corruption, input_range, generator, part).to(target.device)
    return Sample(target, seen, part.weight)
