"""Batches gathered from images that lie in one tensor: no workers, no sample-by-sample fetching.

x_bchw: batch, channels, height, width.
"""

from collections.abc import Iterator

import torch
from torch import Tensor


def resident(images: Tensor, device: torch.device) -> Tensor:
    """``images`` on ``device`` where they take at most a third of its free memory, else as they are."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if images.numel() * images.element_size() <= free / 3:
            return images.to(device)
    return images


class Batches:
    """The images N×C×H×W at ``index`` (all where it is None), given out in batches on ``device``."""

    def __init__(self, images: Tensor, index: Tensor | None = None, device: torch.device | None = None) -> None:
        self.images = images
        self.index = torch.arange(len(images)) if index is None else index
        self.device = images.device if device is None else device

    def __len__(self) -> int:
        return len(self.index)

    def in_order(self, size: int) -> Iterator[Tensor]:
        """Every image once, in order, in batches of ``size``; the last may be smaller."""
        return self._gather(self.index, size)

    def shuffled(self, size: int, seed: int, skip: int = 0) -> Iterator[Tensor]:
        """Every image once, in an order that only ``seed`` decides, in batches of ``size``; the last may be smaller.

        The first ``skip`` batches are left out.
        """
        order = torch.randperm(len(self.index), generator=torch.Generator().manual_seed(seed))
        return self._gather(self.index[order[skip * size :]], size)

    def spread(self, count: int) -> "Batches":
        """``count`` of the images, evenly spaced from the first to the last; all where there are no more."""
        positions = torch.linspace(0, len(self) - 1, min(count, len(self)), dtype=torch.float64).round().long()
        return Batches(self.images, self.index[positions], self.device)

    def _gather(self, index: Tensor, size: int) -> Iterator[Tensor]:
        for part in torch.split(index.to(self.images.device), size):
            x_bchw = self.images.index_select(0, part).to(self.device, non_blocking=True)
            yield x_bchw.contiguous(memory_format=torch.channels_last)
