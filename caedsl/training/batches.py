"""Batches of samples: gathered from memory, or prefetched by threads."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from caedsl.backends.torch.batch_parts import parts_of
from caedsl.data.sample import Sample
from caedsl.data.stacks.cached_stack import Cached
from caedsl.data.stacks.pixels import Held, Pixels
from caedsl.data.stacks.prefetch import ahead, workers
from caedsl.vocabulary.shape import Shape

AHEAD_BYTES = 1 << 26
"""Memory for prefetched batches, in bytes. At least one batch is prefetched, however large it is."""


_Values = tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]
"""Stored values of images and their targets, labels and weights."""


def _pinned(values: Tensor) -> Tensor:
    return values if values.is_cuda else values.pin_memory()


def resident(images: Pixels, device: torch.device) -> Pixels:
    """Move images in memory to a CUDA ``device`` if they take at most a third of its free memory."""
    if isinstance(images, Cached):
        return images.placed(lambda held: resident(held, device))
    if device.type == "cuda" and isinstance(images, Held):
        free, _ = torch.cuda.mem_get_info(device)
        if images.values.numel() * images.values.element_size() <= free / 3:
            return images.on(device)
    return images


class Batches:
    """Batches on ``device`` of the images at ``index``, by default of all images.

    ``targets``, ``labels`` and ``weights`` belong to all images and have the same indices. Without targets the images
    are their own targets. A batch has the same bits wherever its images are stored.
    """

    def __init__(
        self,
        images: Tensor | Pixels,
        index: Tensor | None = None,
        device: torch.device | None = None,
        part: tuple[int, int] = (0, 1),
        accumulate: int = 1,
        targets: Tensor | Pixels | None = None,
        labels: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> None:
        self.images = Held(images) if isinstance(images, Tensor) else images
        self.targets = Held(targets) if isinstance(targets, Tensor) else targets
        self.labels, self.weights = labels, weights
        self.index = torch.arange(len(images)) if index is None else index
        self.device = self.images.device if device is None else device
        self._part, self._accumulate = part, accumulate

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> Shape:
        """Shape of a sample, channels first."""
        return self.images.shape

    @property
    def target_shape(self) -> Shape:
        """Shape of a target, channels first."""
        return self.wanted.shape

    @property
    def wanted(self) -> Pixels:
        """Expected output of the network: the targets, or the images themselves."""
        return self.images if self.targets is None else self.targets

    def of_inputs(self) -> "Batches":
        """Return batches of the images with the images as targets."""
        return Batches(self.images, self.index, self.device, self._part, self._accumulate)

    def of_targets(self) -> "Batches":
        """Return batches of the targets with the targets as their own targets."""
        return Batches(self.wanted, self.index, self.device, self._part, self._accumulate)

    def in_order(self, size: int) -> Iterator[Sample]:
        """Yield every image once, in order, in batches of ``size``; the last may be smaller."""
        return self._gather(self.index, size)

    def stored(self, size: int) -> Iterator[Tensor]:
        """Yield the expected outputs in the same order as they are stored: bytes, or real numbers in the range."""
        for seen, target, _, _ in self._taken(self.index, size):
            yield self._sent(seen if target is None else target)

    def shuffled(self, size: int, seed: int, skip: int = 0) -> Iterator[Sample]:
        """Yield every image once, in an order that depends only on ``seed``, in batches of ``size``.

        The first ``skip`` batches are left out; the last may be smaller.
        """
        order = torch.randperm(len(self.index), generator=torch.Generator().manual_seed(seed))
        return self._gather(self.index[order[skip * size :]], size)

    def spread(self, count: int) -> "Batches":
        """Choose ``count`` images, evenly spaced from the first to the last; all images if there are fewer."""
        positions = torch.linspace(0, len(self) - 1, min(count, len(self)), dtype=torch.float64).round().long()
        return self._with(self.index[positions], self._part, 1)

    def sliced(self, rank: int, ranks: int, accumulate: int = 1) -> "Batches":
        """Return the same batches, reading only part ``rank`` of each, which is cut into ``ranks`` nearly equal parts.

        With ``accumulate`` each batch is first cut into that many pieces, and the part is taken from each of them.
        ``len`` still counts all images. A part is empty if a batch has fewer images than there are ranks.
        """
        self.images = resident(self.images, self.device) if isinstance(self.images, Cached) else self.images
        self.targets = resident(self.targets, self.device) if isinstance(self.targets, Cached) else self.targets
        return self._with(self.index, (rank, ranks), accumulate)

    def _with(self, index: Tensor, part: tuple[int, int], accumulate: int) -> "Batches":
        return Batches(self.images, index, self.device, part, accumulate, self.targets, self.labels, self.weights)

    def _gather(self, index: Tensor, size: int) -> Iterator[Sample]:
        for seen, target, label, weight in self._taken(index, size):
            finished = self.images.finish(self._sent(seen))
            wanted = finished if target is None or self.targets is None else self.targets.finish(self._sent(target))
            label, weight = (None if known is None else self._sent(known) for known in (label, weight))
            yield Sample(wanted, finished, label, weight)

    def _taken(self, index: Tensor, size: int) -> Iterator[_Values]:
        direct = all(kept.at_hand and kept.device.type == self.device.type for kept in (self.images, self.wanted))
        parts = self._parts(index.to(self.images.device), size)
        return map(self._take, parts) if direct else ahead(self._take_to_send, parts, self._most(size), polite=True)

    def _sent(self, values: Tensor) -> Tensor:
        return values.to(self.device, non_blocking=True)

    def _parts(self, index: Tensor, size: int) -> Iterator[Tensor]:
        """Cut an index into batches, and keep the part of each batch that belongs to this process."""
        rank, ranks = self._part
        for start in range(0, len(index), size):
            batch = index[start : start + size]
            if ranks > 1:
                parts = torch.split(batch, parts_of(len(batch), self._accumulate))
                batch = torch.cat([part.tensor_split(ranks)[rank] for part in parts])
            yield batch

    def _take(self, index: Tensor) -> _Values:
        target = None if self.targets is None else self.targets.take(index.to(self.targets.device))
        label, weight = (
            None if known is None else known.index_select(0, index.to(known.device))
            for known in (self.labels, self.weights)
        )
        return self.images.take(index.to(self.images.device)), target, label, weight

    def _take_to_send(self, index: Tensor) -> _Values:
        """Take values into pinned memory, which a GPU copies asynchronously."""
        seen, target, label, weight = self._take(index)
        if self.device.type != "cuda":
            return seen, target, label, weight
        return _pinned(seen), target if target is None else _pinned(target), label, weight

    def _most(self, size: int) -> int:
        """Return the limit on prefetched batches: two per worker if memory allows, and at least one."""
        values = math.prod(self.shape) + (math.prod(self.target_shape) if self.targets is not None else 0)
        batch_bytes = 4 * size * values
        return 1 + max(1, min(2 * workers(), AHEAD_BYTES // batch_bytes))
