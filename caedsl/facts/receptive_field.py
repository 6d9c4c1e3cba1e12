"""Receptive fields: how many input places, along each axis, one output can depend on.

An output is traced back to the input through the windows of all layers, so that the field is exact after upsampling, at
borders and around residuals. It ends at the borders of the input, and a fully connected layer sees all of it.
"""

from collections.abc import Callable, Sequence

from caedsl.facts.connections import without_stages
from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Sizes, rank

Interval = tuple[int, int]
Back = Callable[[Interval], Interval]
"""Function from outputs along one axis to the inputs that they depend on; the last is below the first for none."""

NOTHING = (0, -1)
PLACES = 64
"""Number of outputs in the middle of each axis that are traced: total upsampling beyond this is not distinguished."""


def receptive_fields(model: Autoencoder) -> dict[int, Sizes]:
    """Return the receptive field after every layer, by ``id(layer)``."""
    fields: dict[int, Sizes] = {}
    chain: list[Layer] = []
    for _, layers in model.parts:
        _collect(layers, chain, fields, model.input.shape[1:])
    return fields


@fact
def code_field(model: Autoencoder) -> Sizes:
    """Return the receptive field of one number of the code."""
    return _field(list(without_stages((*model.encoder, *model.bottleneck.layers))), model.input.shape[1:])


def _collect(layers: Sequence[Layer], chain: list[Layer], fields: dict[int, Sizes], whole: Sizes) -> None:
    for layer in layers:
        if layer.kind.role is Role.GROUPING:
            _collect(layer.children, chain, fields, whole)
        else:
            _collect(layer.shortcut, [*chain], fields, whole)
            _collect(layer.children, [*chain], fields, whole)
            chain.append(layer)
        fields[id(layer)] = _field(chain, whole)


def _field(chain: Sequence[Layer], whole: Sizes) -> Sizes:
    steps = [*chain] if any(FROM in layer.options for layer in chain) else _without_round_trips(chain)
    while steps and _keeps_each_number(steps[-1]):
        steps.pop()
    if not steps:
        return (1,) * len(whole)
    if rank(steps[-1].out_shape) != len(whole) or any(map(_mixes_places, steps)):
        return whole
    return tuple(_widest(steps, axis) for axis in range(len(whole)))


def _without_round_trips(chain: Sequence[Layer]) -> list[Layer]:
    """Return the chain without reshapes that are undone by later ones."""
    steps: list[Layer] = []
    for layer in chain:
        steps.append(layer)
        if layer.kind.role is not Role.RESHAPING:
            continue
        start = next((i for i, step in enumerate(steps) if _returns(steps[i:], step)), None)
        if start is not None:
            del steps[start:]
    return steps


def _returns(steps: Sequence[Layer], first: Layer) -> bool:
    same = first.in_shape[1:] == steps[-1].out_shape[1:] and rank(first.in_shape) > 0
    return same and first.kind.role is Role.RESHAPING and all(map(_keeps_each_number, steps))


def _keeps_each_number(layer: Layer) -> bool:
    if layer.kind.role is Role.RESHAPING:
        return True
    return layer.kind.role is Role.PASSING and layer.in_shape == layer.out_shape and not layer.kind.window


def _mixes_places(layer: Layer) -> bool:
    inside = (*layer.children, *layer.shortcut)
    return layer.kind.joins_all or layer.kind.role is Role.RESHAPING or any(map(_mixes_places, inside))


def _widest(steps: Sequence[Layer], axis: int) -> int:
    size = steps[-1].out_shape[1 + axis]
    start = max(0, (size - PLACES) // 2)
    back = _back(steps, axis)
    found = (back((place, place)) for place in range(start, min(size, start + PLACES)))
    return max(last - first + 1 for first, last in found)


def _back(steps: Sequence[Layer], axis: int) -> Back:
    """Return a function that traces outputs back through ``steps``, including second inputs of layers."""
    layers = list(without_stages(steps))
    ways = [_back_through(layer, axis) for layer in layers]
    places = {id(layer): place for place, layer in enumerate(layers)}
    sources = [places.get(id(layer.source), -1) if FROM in layer.options else None for layer in layers]

    def back(outputs: Interval) -> Interval:
        needed = {len(layers) - 1: outputs}  # -1 stands for the input
        for place in range(len(layers) - 1, -1, -1):
            wanted = needed.get(place, NOTHING)
            if wanted[1] < wanted[0]:
                continue
            source = sources[place]
            if source is not None:
                needed[source] = _hull(needed.get(source, NOTHING), ways[place](wanted))
            if not layers[place].kind.starts_branch:
                needed[place - 1] = _hull(needed.get(place - 1, NOTHING), ways[place](wanted))
        return needed.get(-1, NOTHING)

    return back


def _back_through(layer: Layer, axis: int) -> Back:
    if layer.kind.role is Role.SUMMING:
        body, shortcut = _back(layer.children, axis), _back(layer.shortcut, axis)
        return lambda outputs: _hull(body(outputs), shortcut(outputs))
    read = layer.kind.reads(layer)[axis]

    def back(outputs: Interval) -> Interval:
        first, last = outputs
        while first <= last and read(first)[1] < read(first)[0]:
            first += 1
        while first <= last and read(last)[1] < read(last)[0]:
            last -= 1
        return (read(first)[0], read(last)[1]) if first <= last else NOTHING

    return back


def _hull(one: Interval, other: Interval) -> Interval:
    if one[1] < one[0]:
        return other
    if other[1] < other[0]:
        return one
    return min(one[0], other[0]), max(one[1], other[1])
