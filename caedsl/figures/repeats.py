"""Find repeated layers: a figure draws equal layers in a row once and says ``×10``, and folds deep nesting."""

from collections.abc import Iterator, Sequence
from itertools import chain

from caedsl.figures.caption import line
from caedsl.vocabulary.layer import Layer

Copies = tuple[Layer, ...]
"""A layer and its copies further on, which are drawn as one."""
LONGEST_PATTERN = 6
DEEPEST = 3
"""Groups in groups that a figure opens; what is nested deeper is drawn as one layer that counts those inside."""


def repeats(layers: Sequence[Copies]) -> Iterator[tuple[list[Copies], int]]:
    """Yield the layers as patterns with how often each comes in a row, in order; most are single layers that come once."""
    signatures = [_signature(copies[0]) for copies in layers]
    start = 0
    while start < len(layers):
        length, times = _pattern(signatures, start)
        end = start + length * times
        yield [tuple(chain(*layers[start + i : end : length])) for i in range(length)], times
        start = end


def alone(layers: Sequence[Layer]) -> list[Copies]:
    """Return each layer as its only copy."""
    return [(layer,) for layer in layers]


def inside(group: Copies) -> list[Copies]:
    """Return the layers inside a group, each with those at its place in the group's copies."""
    return list(zip(*(layer.children for layer in group), strict=True))


def beside(group: Copies) -> list[Copies]:
    """Return the layers of a residual's shortcut, each with those at its place in the group's copies."""
    return list(zip(*(layer.shortcut for layer in group), strict=True))


def layers_inside(group: Layer) -> int:
    """Return how many layers a group holds, groups themselves not counted."""
    return sum(not layer.children for layer in group.walk())


def _signature(layer: Layer) -> tuple[object, ...]:
    """Return what two layers must share to be drawn as one: captions and output shapes, inside groups too."""
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
