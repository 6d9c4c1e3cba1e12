"""Patches of large images, at places that follow from the name of the image alone."""

from dataclasses import dataclass
from hashlib import sha256
from math import gcd

from caedsl.vocabulary.shape import Sizes

_BYTES = 8


@dataclass(frozen=True)
class Patches:
    """``count`` patches of each image, of the size ``space``; they start at multiples of ``unit``.

    ``space`` and ``unit`` have one number per axis. An input and a target of another size have different units: both
    start at the same multiple of their own, and so show the same place.
    """

    count: int
    space: Sizes
    unit: Sizes

    def start(self, name: str, number: int, stored: Sizes) -> Sizes:
        """Return where a patch of the image ``name`` starts, which has the size ``stored`` and is not smaller.

        The place is drawn from the name and the number, so that it is the same in every run, and for an input and its
        target.
        """
        drawn = sha256(f"{name}\0{number}".encode("utf-8", "surrogateescape")).digest()
        parts = (int.from_bytes(drawn[_BYTES * axis : _BYTES * (axis + 1)], "big") for axis in range(len(stored)))
        along = zip(parts, self.places(stored), self.unit, strict=True)
        return tuple((part * places >> 8 * _BYTES) * unit for part, places, unit in along)

    def places(self, stored: Sizes) -> Sizes:
        """Return the number of places along each axis of an image of the size ``stored``."""
        sides = zip(stored, self.space, self.unit, strict=True)
        return tuple((side - own) // unit + 1 for side, own, unit in sides)


def patches_of(count: int | None, space: Sizes, partner: Sizes) -> Patches | None:
    """Return ``count`` patches of each image, if any, of the size ``space`` and with targets (or inputs) of another."""
    if count is None:
        return None
    return Patches(count, space, tuple(own // gcd(own, other) for own, other in zip(space, partner, strict=True)))
