"""Correspondence between the numbers of a Keras tensor and ours: channels come last there and first here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.vocabulary.shape import Shape

Order = NDArray[np.intp]
"""For each of our numbers, its index among Keras's."""


@dataclass(frozen=True, eq=False)
class Value:
    """Output of a Keras layer.

    ``key`` names our tensor that holds it, ``shape`` is its shape in Keras, and ``ours`` the shape of our tensor.
    ``order`` maps each of our numbers to its index in Keras, None if the indices are the same. If ``is_map``, its last
    axis (the first with ``first``) holds channels, and ours are ``channels`` of Keras's in that order (None: the same
    order).
    """

    key: str
    shape: Shape
    ours: Shape
    order: Order | None = None
    is_map: bool = False
    first: bool = False
    channels: Order | None = None

    @property
    def space(self) -> Shape:
        """Sizes of a map without its channels."""
        return self.ours[1:]

    def flat(self) -> "Value":
        """Return the same numbers as one Keras vector."""
        order = self.order if not self.is_map else map_order(self.shape, self.first, self.channels)
        return Value(self.key, (prod(self.shape),), self.ours, order)

    def moved(self, key: str) -> "Value":
        """Return the value with the same order in another tensor."""
        return replace(self, key=key)

    def to_keras(self, ours: NDArray[Any]) -> NDArray[Any]:
        """Return a batch of our tensors in Keras's layout."""
        order = self.flat().order
        numbers = ours.reshape(len(ours), -1)
        if order is not None:
            placed = np.empty_like(numbers)
            placed[:, order] = numbers
            numbers = placed
        return numbers.reshape(len(ours), *self.shape)

    def from_keras(self, theirs: NDArray[Any]) -> NDArray[Any]:
        """Return a batch of Keras's tensors in our layout."""
        order = self.flat().order
        numbers = theirs.reshape(len(theirs), -1)
        return (numbers if order is None else numbers[:, order]).reshape(len(theirs), *self.ours)


def map_value(key: str, shape: Sequence[int], first: bool, channels: Order | None = None) -> Value:
    """Return the value of a Keras map."""
    whole = tuple(shape)
    ours = whole if first else (whole[-1], *whole[:-1])
    return Value(key, whole, ours, is_map=True, first=first, channels=channels)


def map_order(shape: Sequence[int], first: bool, channels: Order | None = None) -> Order | None:
    """Return the index of each number of our map in Keras's map of ``shape``."""
    places = np.arange(prod(shape), dtype=np.intp).reshape(tuple(shape))
    placed = places if first else np.moveaxis(places, -1, 0)
    return plain(placed[channels].ravel() if channels is not None else placed.ravel())


def plain(order: Order) -> Order | None:
    """Return an order, or None if it changes nothing."""
    return None if np.array_equal(order, np.arange(order.size)) else order


def same(one: Order | None, two: Order | None) -> bool:
    """Return whether two orders are equal."""
    if one is None or two is None:
        return one is two
    return np.array_equal(one, two)


def permuted(array: NDArray[Any], order: Order | None, axis: int = 0) -> NDArray[Any]:
    """Return an array with ``axis`` permuted by an order."""
    return array if order is None else np.take(array, order, axis=axis)
