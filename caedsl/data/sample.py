"""The batch of a step: what the network sees, and what it must return."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sample:
    """Samples of a batch: ``target`` is what the network must return, ``seen`` what it is given.

    Both are one tensor where the network must return what it is given. ``label`` has the class of each, None for data
    without labels. ``weight`` is how much the loss of each counts, 1 on average over the training samples; None where
    all count alike. ``share`` is what their mean loss counts in the mean over all processes.
    """

    target: Tensor
    seen: Tensor
    label: Tensor | None = None
    weight: Tensor | None = None
    share: float = 1.0

    @classmethod
    def of(cls, images: Tensor) -> "Sample":
        """Return samples that must come back as they are."""
        return cls(images, images)

    @property
    def paired(self) -> bool:
        """Whether the target is another tensor than what is seen."""
        return self.target is not self.seen

    def __len__(self) -> int:
        return len(self.seen)

    def split(self, sizes: Sequence[int]) -> Iterator["Sample"]:
        """Cut into parts of these sizes."""
        start = 0
        for size in sizes:
            yield self.at(slice(start, start + size))
            start += size

    def at(self, places: slice) -> "Sample":
        """Return the samples at these places."""
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
    """Return batches as one."""
    parts = list(samples)
    seen = torch.cat([part.seen for part in parts])
    target = torch.cat([part.target for part in parts]) if parts[0].paired else seen
    labels = [part.label for part in parts if part.label is not None]
    weights = [part.weight for part in parts if part.weight is not None]
    label, weight = (torch.cat(each) if len(each) == len(parts) else None for each in (labels, weights))
    return Sample(target, seen, label, weight)
