"""Batch of a step: the input and the target of the network."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """Samples of a batch: ``target`` is the expected output of the network, ``seen`` is its input.

    Both are the same tensor if the network must return its input. ``label`` has the class of each sample, and
    ``weight`` its weight in the loss; they are None for data without labels or weights. ``share`` is the weight of the
    batch's mean loss in the mean over all processes and parts of the step.
    """

    target: Tensor
    seen: Tensor
    label: Tensor | None = None
    weight: Tensor | None = None
    share: float = 1.0

    @classmethod
    def of(cls, images: Tensor) -> "Sample":
        """Return samples that are their own targets."""
        return cls(images, images)

    @property
    def paired(self) -> bool:
        """Whether the target is another tensor than the input."""
        return self.target is not self.seen

    def __len__(self) -> int:
        return len(self.seen)

    def split(self, sizes: Sequence[int]) -> Iterator["Sample"]:
        """Split into parts of these sizes."""
        start = 0
        for size in sizes:
            yield self.at(slice(start, start + size))
            start += size

    def at(self, places: slice) -> "Sample":
        """Return the samples at these positions."""
        return self._each(lambda x: x[places])

    def double(self) -> "Sample":
        """Return the same in 64 bits."""
        seen = self.seen.double()
        return replace(self, seen=seen, target=self.target.double() if self.paired else seen)

    def _each(self, cut: Callable[[Tensor], Tensor]) -> "Sample":
        seen = cut(self.seen)
        label, weight = (None if values is None else cut(values) for values in (self.label, self.weight))
        return replace(self, seen=seen, target=cut(self.target) if self.paired else seen, label=label, weight=weight)


def joined(samples: Iterable[Sample]) -> Sample:
    """Return the concatenation of batches."""
    parts = list(samples)
    seen = torch.cat([part.seen for part in parts])
    target = torch.cat([part.target for part in parts]) if parts[0].paired else seen
    labels = [part.label for part in parts if part.label is not None]
    weights = [part.weight for part in parts if part.weight is not None]
    label, weight = (torch.cat(each) if len(each) == len(parts) else None for each in (labels, weights))
    return Sample(target, seen, label, weight)
