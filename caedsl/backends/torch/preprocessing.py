"""Offsets and scales of channels, measured on samples. Emitted training loops carry the source of these functions.

Tensors: blocks of samples (batch, channels, then one to three axes).
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from caedsl.backends.torch.modules import SampleNormalise


def mean_and_deviation(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation of each channel; a deviation of 0 counts as 1."""
    count, total, squares = 0, torch.zeros(()), torch.zeros(())
    for block in blocks:
        values = block.double().flatten(2).transpose(0, 1).flatten(1).cpu()
        count += values.shape[1]
        total = total + values.sum(dim=1)
        squares = squares + values.square().sum(dim=1)
    mean = total / count
    deviation = (squares / count - mean.square()).clamp(min=0).sqrt()
    return mean.float(), torch.where(deviation > 0, deviation, 1.0).float()


def least_and_span(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the least value of each channel, and the distance to the largest; a distance of 0 counts as 1."""
    ends = [torch.stack(block.transpose(0, 1).flatten(1).cpu().aminmax(dim=1)) for block in blocks]
    low, high = torch.stack(ends)[:, 0].amin(dim=0), torch.stack(ends)[:, 1].amax(dim=0)
    return low.float(), torch.where(high > low, high - low, 1.0).float()


def contrast_ends(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the least value of samples normalised by their contrast, and the distance to the largest."""
    normalise = SampleNormalise()
    ends = torch.stack([torch.stack(normalise(block.float().cpu()).aminmax()) for block in blocks])
    low, high = ends[:, 0].amin(), ends[:, 1].amax()
    return low, torch.where(high > low, high - low, 1.0)
