"""Repeats, found again: a figure draws what is written ten times once, and says ``×10``."""

from collections.abc import Iterator, Sequence
from itertools import chain

from caedsl.figures.caption import line
from caedsl.vocabulary.layer import Layer

Copies = tuple[Layer, ...]
"""A layer and its copies further on, which are drawn as one."""
LONGEST_PATTERN = 6


def runs(layers: Sequence[Copies]) -> Iterator[tuple[list[Copies], int]]:
    """The layers as patterns and how often each comes in a row, in order; most are single layers that come once."""
    signatures = [_signature(copies[0]) for copies in layers]
    start = 0
    while start < len(layers):
        length, times = _pattern(signatures, start)
        end = start + length * times
        yield [tuple(chain(*layers[start + i : end : length])) for i in range(length)], times
        start = end


def alone(layers: Sequence[Layer]) -> list[Copies]:
    """Layers without copies yet."""
    return [(layer,) for layer in layers]


def inside(group: Copies) -> list[Copies]:
    """The layers inside a group, each with those at its place in the group's copies."""
    return list(zip(*(layer.children for layer in group), strict=True))


def beside(group: Copies) -> list[Copies]:
    """The layers of a residual's shortcut, each with those at its place in the group's copies."""
    return list(zip(*(layer.shortcut for layer in group), strict=True))


def _signature(layer: Layer) -> tuple[object, ...]:
    """What two layers must share to be drawn as one: captions and output shapes, inside groups too."""
    within = tuple(_signature(child) for child in (*layer.children, *layer.shortcut))
    return (line(layer), layer.label, layer.out_shape, len(layer.shortcut), *within)


def _pattern(signatures: Sequence[tuple[object, ...]], start: int) -> tuple[int, int]:
    for length in range(1, min(LONGEST_PATTERN, (len(signatures) - start) // 2) + 1):
        pattern, times = signatures[start : start + length], 1
        while signatures[start + times * length : start + (times + 1) * length] == pattern:
            times += 1
        if times > 1:
            return length, times
    return 1, 1
