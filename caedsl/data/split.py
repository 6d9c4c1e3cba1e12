"""Which training images are held out for validation."""

import torch
from torch import Tensor

from caedsl.data.images import DataError, Images


def split_validation(images: Images, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """The numbers of the images to train on and of those to validate on, each sorted, drawn at random by ``seed``.

    ``share`` of the training images, rounded, and at least one, is held out; none where it is 0. A ``DataError`` where
    there are not images enough for both.
    """
    count = len(images)
    if share == 0:
        return torch.arange(count), torch.empty(0, dtype=torch.int64)
    if count < 2:
        raise DataError(
            f"{images.name} has {count} image, and validation needs one besides: add images, or write `validation 0`"
        )
    held_out = min(count - 1, max(1, round(count * share)))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[held_out:].sort().values, order[:held_out].sort().values
