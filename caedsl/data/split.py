"""Split of the training samples into training and validation."""

from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.data.files.folder_layout import TRAIN
from caedsl.data.images import Images
from caedsl.diagnostics.text import printable
from caedsl.vocabulary.shape import noun

SPLIT_SEED = 0
"""Split with this seed, not that of training: runs with different seeds are evaluated on the same samples."""


def split_validation(images: Images, share: float, seed: int = SPLIT_SEED) -> tuple[Tensor, Tensor]:
    """Return the numbers of the training and the validation samples, each sorted.

    ``share`` of the training samples, rounded and at least one, is drawn and held out; none if it is 0, or if the
    source has validation samples. Patches of one image are in the same part, if there are several images. Raise a
    ``DataError`` if there are too few samples for both.
    """
    count = len(images)
    if share == 0 or images.validation_pixels is not None:
        return torch.arange(count), torch.empty(0, dtype=torch.int64)
    if count < 2:
        sample = noun(images.train_pixels.shape)
        raise DataError(
            f"{images.name} has only 1 {sample}, but training and validation need one each: add {sample}s, or write "
            "`validation 0`"
        )
    return draw_split(count, share, seed, images.groups)


def draw_split(count: int, share: float, seed: int = SPLIT_SEED, groups: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the numbers of the training and the validation samples of ``count``, at least two; each sorted.

    Samples of one of the ``groups`` are in the same part, unless there is only one group.
    """
    if groups is not None:
        members, group_of = np.unique(groups.numpy(), return_inverse=True)
        if len(members) > 1:
            learned, _ = draw_split(len(members), share, seed)
            in_training = torch.isin(torch.from_numpy(group_of), learned)
            return in_training.nonzero()[:, 0], in_training.logical_not().nonzero()[:, 0]
    held_out = min(count - 1, max(1, round(count * share)))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[held_out:].sort().values, order[:held_out].sort().values


def split_sha256(validation: Tensor) -> str:
    """Return the checksum of the numbers of the held-out samples."""
    return sha256(validation.numpy().astype("<i8").tobytes()).hexdigest()


def held_out_names(images: Images, validation: Tensor) -> str:
    """Return the names of the held-out training samples, one per line, as they are shown in a terminal."""
    return "".join(f"{printable(images.name_of(TRAIN, number))}\n" for number in validation.tolist())
