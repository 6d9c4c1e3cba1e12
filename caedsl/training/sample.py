"""Make the sample of a step from clean samples.

Training, validation, evaluation, probes and the search for the origin of a non-finite number make their samples here.
"""

from dataclasses import replace

import torch
from torch import Tensor

from caedsl.data.augmentation import apply, apply_to_target, draw
from caedsl.data.batch_share import BatchShare
from caedsl.data.corruption import corrupt
from caedsl.data.fit import channels_last
from caedsl.data.sample import Sample
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt

NOT_AUGMENTED = Augment()


def make_sample(
    clean: Sample,
    generator: torch.Generator,
    input_range: InputRange,
    corruption: Corrupt,
    augmentation: Augment = NOT_AUGMENTED,
    part: BatchShare | None = None,
    target_range: InputRange | None = None,
) -> Sample:
    """Make a sample from clean samples: augment target and input alike, then corrupt the input.

    ``part`` is this process's share of the batch; by default the samples are the whole batch. Corruption is drawn on
    the device of ``generator``; the result is on the device of ``clean``. ``target_range`` defaults to the input range.
    """
    part = part or BatchShare.all_of(len(clean))
    changes = draw(clean.seen, augmentation, generator, part)
    augmented = _laid_out(apply(clean.seen, changes, input_range))
    target = augmented
    if clean.paired:
        target = _laid_out(apply_to_target(clean.target, clean.seen, changes, target_range or input_range))
    seen = corrupt(augmented.to(generator.device), corruption, input_range, generator, part).to(augmented.device)
    return replace(clean, target=target, seen=seen, share=part.weight)


def _laid_out(x: Tensor) -> Tensor:
    """Convert samples on CUDA to channels last, in which convolutions are fastest; augmentations may change the layout.

    On a CPU the faster form of a network converts them itself.
    """
    return channels_last(x) if x.is_cuda else x
