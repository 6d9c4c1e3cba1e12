"""Shapes without the batch: ``(channels, height, width)`` for a feature map, ``(units,)`` for a vector."""

from math import prod

Shape = tuple[int, ...]

ADDRESSABLE = 2**63 - 1
"""Numbers that a tensor's 64-bit index can count."""


def text(shape: Shape) -> str:
    """The shape as a spec writes it: ``32x14x14``."""
    return "x".join(map(str, shape))


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape holds."""
    return prod(shape)


def is_map(shape: Shape) -> bool:
    """Whether this is a feature map (channels, height, width)."""
    return len(shape) == 3
