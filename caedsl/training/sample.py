"""Make the sample of a step from clean samples.

Training, validation, evaluation, probes and the search for the origin of a non-finite number make their samples here.
"""

from dataclasses import replace

from torch import Tensor

from caedsl.backends.torch.draws import Draws
from caedsl.data.augmentation import apply, apply_to_target, draw
from caedsl.data.corruption import corrupt
from caedsl.data.sample import Sample
from caedsl.data.sample_format import channels_last
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt

NOT_AUGMENTED = Augment()


def make_sample(
    clean: Sample,
    draws: Draws,
    input_range: InputRange,
    corruption: Corrupt,
    augmentation: Augment = NOT_AUGMENTED,
    share: float = 1.0,
    target_range: InputRange | None = None,
) -> Sample:
    """Make a sample from clean samples: augment target and input in the same way, then corrupt the input.

    ``draws`` has the random numbers of these samples, on their device. ``share`` is that of the made sample, and
    ``target_range`` defaults to the input range.
    """
    changes = draw(clean.seen, augmentation, draws)
    augmented = _laid_out(apply(clean.seen, changes, input_range))
    target = augmented
    if clean.paired:
        target = _laid_out(apply_to_target(clean.target, clean.seen, changes, target_range or input_range))
    return replace(clean, target=target, seen=corrupt(augmented, corruption, input_range, draws), share=share)


def _laid_out(x: Tensor) -> Tensor:
    """Convert samples on CUDA to channels last, in which convolutions are fastest; augmentations may change the layout.

    On a CPU the faster form of a network converts them itself.
    """
    return channels_last(x) if x.is_cuda else x
