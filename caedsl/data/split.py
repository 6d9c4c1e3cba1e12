"""Which training images are held out for validation."""

from hashlib import sha256

import torch
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.data.folder_layout import TRAIN
from caedsl.data.images import Images

SPLIT_SEED = 0
"""The seed of the split is not that of training: runs that differ in their seed are judged on the same images."""


def split_validation(images: Images, share: float, seed: int = SPLIT_SEED) -> tuple[Tensor, Tensor]:
    """Return the numbers of the images to train on and of those to validate on, each sorted.

    ``share`` of the training images, rounded, and at least one, is drawn and held out; none where it is 0, or where the
    source has validation images of its own. Raise a ``DataError`` where there are not images enough for both.
    """
    count = len(images)
    if share == 0 or images.validation_pixels is not None:
        return torch.arange(count), torch.empty(0, dtype=torch.int64)
    if count < 2:
        raise DataError(
            f"{images.name} has {count} image, and validation needs one besides: add images, or write `validation 0`"
        )
    return draw_split(count, share, seed)


def draw_split(count: int, share: float, seed: int = SPLIT_SEED) -> tuple[Tensor, Tensor]:
    """Return the numbers to train on and those to validate on, of ``count`` images and two at least; each sorted."""
    held_out = min(count - 1, max(1, round(count * share)))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[held_out:].sort().values, order[:held_out].sort().values


def split_sha256(validation: Tensor) -> str:
    """Return the checksum of the numbers of the images that are held out."""
    return sha256(validation.numpy().astype("<i8").tobytes()).hexdigest()


def held_out_names(images: Images, validation: Tensor) -> str:
    """Return the names of the training images that are held out, one a line."""
    return "".join(f"{images.name_of(TRAIN, number)}\n" for number in validation.tolist())
