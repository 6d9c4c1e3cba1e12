"""Batches of samples: gathered from memory, or prefetched by threads."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from caedsl.backends.torch.batch_parts import parts_of
from caedsl.data.pixels import Held, Pixels
from caedsl.data.prefetch import ahead, workers
from caedsl.vocabulary.shape import Shape

AHEAD_BYTES = 1 << 26
"""Memory for batches that are prefetched: enough for the largest while the one before is used."""


def resident(images: Pixels, device: torch.device) -> Pixels:
    """Move images to ``device`` where they take at most a third of its free memory."""
    if device.type == "cuda" and isinstance(images, Held):
        free, _ = torch.cuda.mem_get_info(device)
        if images.values.numel() * images.values.element_size() <= free / 3:
            return images.on(device)
    return images


class Batches:
    """Batches on ``device`` of the images at ``index``, by default all.

    A batch is the same bit for bit wherever its images come from.
    """

    def __init__(
        self,
        images: Tensor | Pixels,
        index: Tensor | None = None,
        device: torch.device | None = None,
        part: tuple[int, int] = (0, 1),
        accumulate: int = 1,
    ) -> None:
        self.images = Held(images) if isinstance(images, Tensor) else images
        self.index = torch.arange(len(images)) if index is None else index
        self.device = self.images.device if device is None else device
        self._part, self._accumulate = part, accumulate

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> Shape:
        """The shape of a sample, channels first."""
        return self.images.shape

    def in_order(self, size: int) -> Iterator[Tensor]:
        """Yield every image once, in order, in batches of ``size``; the last may be smaller."""
        return self._gather(self.index, size)

    def shuffled(self, size: int, seed: int, skip: int = 0) -> Iterator[Tensor]:
        """Yield every image once, in an order that only ``seed`` decides, in batches of ``size``.

        The first ``skip`` batches are left out; the last may be smaller.
        """
        order = torch.randperm(len(self.index), generator=torch.Generator().manual_seed(seed))
        return self._gather(self.index[order[skip * size :]], size)

    def spread(self, count: int) -> "Batches":
        """Choose ``count`` of the images, evenly spaced from the first to the last; all where there are no more."""
        positions = torch.linspace(0, len(self) - 1, min(count, len(self)), dtype=torch.float64).round().long()
        return Batches(self.images, self.index[positions], self.device, self._part)

    def sliced(self, rank: int, ranks: int, accumulate: int = 1) -> "Batches":
        """Return the same batches, of each of which only part ``rank`` of ``ranks``, alike in size, is read.

        With ``accumulate`` it is that part of each of so many parts of a batch. ``len`` still counts all images. A part
        of a batch with fewer images than ranks may have none.
        """
        return Batches(self.images, self.index, self.device, (rank, ranks), accumulate)

    def _gather(self, index: Tensor, size: int) -> Iterator[Tensor]:
        parts = self._parts(index.to(self.images.device), size)
        there = self.images.device.type == self.device.type
        direct = there and self.images.at_hand
        taken = (
            map(self.images.take, parts) if direct else ahead(self._take_to_send, parts, self._most(size), polite=True)
        )
        for values in taken:
            yield self.images.finish(values.to(self.device, non_blocking=True))

    def _parts(self, index: Tensor, size: int) -> Iterator[Tensor]:
        """Cut an index into batches, and each batch into parts, of which this process takes one."""
        rank, ranks = self._part
        for start in range(0, len(index), size):
            batch = index[start : start + size]
            if ranks > 1:
                parts = torch.split(batch, parts_of(len(batch), self._accumulate))
                batch = torch.cat([part.tensor_split(ranks)[rank] for part in parts])
            yield batch

    def _take_to_send(self, index: Tensor) -> Tensor:
        """Take values into memory that a GPU copies by itself."""
        values = self.images.take(index)
        return values.pin_memory() if self.device.type == "cuda" else values

    def _most(self, size: int) -> int:
        """Return how many batches are prefetched: two for each worker while they are small, and at least one."""
        batch_bytes = 4 * size * math.prod(self.shape)
        return 1 + max(1, min(2 * workers(), AHEAD_BYTES // batch_bytes))
