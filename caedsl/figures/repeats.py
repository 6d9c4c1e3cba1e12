"""Find what a figure can draw as one: repeated layers, and groups too deep or parts too long to be expanded."""

from collections.abc import Iterator, Sequence
from itertools import chain

from caedsl.diagnostics.text import counted
from caedsl.figures.caption import caption, line
from caedsl.vocabulary.kind import written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.stage import NAME, Stage

Copies = tuple[Layer, ...]
"""Layer and its later copies, which are drawn as one."""
LONGEST_PATTERN = 6
DEEPEST = 3
"""Depth of nested groups that a figure expands; deeper groups are drawn as one layer with a count of those inside."""
MOST_ITEMS = 240
"""Number of layers above which a figure expands no group, and draws several layers in a row as one."""
MOST_CHUNKS = 60
"""Largest number of items of each part in such a figure."""


def repeats(layers: Sequence[Copies]) -> Iterator[tuple[list[Copies], int]]:
    """Yield the layers as patterns with the number of repeats in a row, in order; most occur once and alone."""
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


def chunks(layers: Sequence[Layer]) -> list[Copies]:
    """Return the layers in at most ``MOST_CHUNKS`` groups of neighbours, each named after its first and last layer."""
    length = -(-len(layers) // MOST_CHUNKS)
    if length < 2:
        return alone(layers)
    return [(_chunk(tuple(layers[start : start + length])),) for start in range(0, len(layers), length)]


def _chunk(layers: tuple[Layer, ...]) -> Layer:
    first, last = layers[0], layers[-1]
    if first is last:
        return first
    names = dict.fromkeys((_name(first), _name(last)))
    options = written({NAME: " … ".join(names)})
    stage = KINDS[Stage.name]
    return Layer(stage, stage.completed(options), first.in_shape, last.out_shape, first.span, children=layers)


def _name(layer: Layer) -> str:
    return layer.label if layer.children else caption(layer)[0]


def inside(group: Copies) -> list[Copies]:
    """Return the layers inside a group, each with the corresponding layers of the group's copies."""
    return list(zip(*(layer.children for layer in group), strict=True))


def shortcut_of(group: Copies) -> list[Copies]:
    """Return the layers of a residual's shortcut, each with the corresponding layers of the group's copies."""
    return list(zip(*(layer.shortcut for layer in group), strict=True))


def contents(group: Layer) -> str:
    """Return how many layers a group holds, as in ``of 12 layers``; groups themselves are not counted."""
    return f"of {counted(sum(not layer.children for layer in group.walk()), 'layer')}"


def _signature(layer: Layer) -> tuple[object, ...]:
    """Return what two layers must share to be drawn as one: captions and output shapes, inside groups too."""
    within = tuple(_signature(child) for child in (*layer.children, *layer.shortcut))
    return (line(layer), layer.label, layer.named, layer.out_shape, len(layer.shortcut), *within)


def _pattern(signatures: Sequence[tuple[object, ...]], start: int) -> tuple[int, int]:
    for length in range(1, min(LONGEST_PATTERN, (len(signatures) - start) // 2) + 1):
        pattern, times = signatures[start : start + length], 1
        while signatures[start + times * length : start + (times + 1) * length] == pattern:
            times += 1
        if times > 1:
            return length, times
    return 1, 1
