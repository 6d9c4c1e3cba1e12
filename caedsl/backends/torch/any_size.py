"""Sample sizes that a module accepts: the size of the spec and, for a convolutional module, others too.

PyTorch decides: the module computes only shapes, on the ``meta`` device.
"""

from copy import deepcopy
from functools import cache

import torch
from torch import nn

from caedsl.vocabulary.shape import Shape

_FARTHEST = 1024
"""Largest distance above the wanted size that is searched on an axis."""

_MULTIPLE_OF_STRIDES = 2**8 * 3**2 * 5 * 7
"""An axis that is longer by this fits whatever the strides are; if it does not, the axis has only the spec's size."""


class AcceptedSizes:
    """Sample sizes that come back from ``encoder``, ``bottleneck`` and ``decoder``, applied in a row.

    Samples of size ``own`` come back in the shape ``target``; other sizes must come back scaled by the same factors.
    """

    def __init__(self, own: Shape, target: Shape, *parts: nn.Module) -> None:
        self.own = own
        self.target = target
        self._parts = nn.Sequential(*(deepcopy(part).to("meta") for part in parts)).eval()
        self.fit = cache(self._fit)

    @torch.no_grad()
    def _fit(self, shape: Shape) -> bool:
        """Return whether samples of ``shape`` come back in the expected shape."""
        if len(shape) != len(self.own) or shape[0] != self.own[0]:
            return False
        try:
            made = self._parts(torch.empty(1, *shape, device="meta"))
        except RuntimeError:  # a layer that does not fit, in PyTorch's words
            return False
        return tuple(made.shape[1:]) == self.returned(shape)

    def returned(self, shape: Shape) -> Shape | None:
        """Return the shape in which samples of ``shape`` must come back; None if it is not a whole number."""
        sizes = []
        for size, own, target in zip(shape[1:], self.own[1:], self.target[1:], strict=True):
            whole, rest = divmod(size * target, own)
            if rest:
                return None
            sizes.append(whole)
        return (self.target[0], *sizes)

    def at_least(self, shape: Shape) -> Shape | None:
        """Return the smallest shape that fits and is at least ``shape`` on each axis; None if there is none nearby."""
        sizes = [self._size_at_least(axis, wanted) for axis, wanted in enumerate(shape[1:], start=1)]
        found = (shape[0], *(size for size in sizes if size is not None))
        return found if self.fit(found) else None

    def _size_at_least(self, axis: int, wanted: int) -> int | None:
        """Return the smallest size of an axis that fits and is at least ``wanted``, with the spec's sizes elsewhere."""
        own = self.own[axis]
        if not self._fits(axis, own + _MULTIPLE_OF_STRIDES):
            return own if wanted <= own else None
        return next((size for size in range(wanted, wanted + _FARTHEST) if self._fits(axis, size)), None)

    def _fits(self, axis: int, size: int) -> bool:
        return self.fit((*self.own[:axis], size, *self.own[axis + 1 :]))

    @property
    def several(self) -> bool:
        """Whether the module accepts larger samples than those of its spec."""
        return self.at_least((self.own[0], *(size + 1 for size in self.own[1:]))) is not None
