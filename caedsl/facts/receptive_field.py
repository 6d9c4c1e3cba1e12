"""Receptive fields: how many input places, along each axis, one output can depend on.

An output is traced back to the input through the windows of all layers, so that the field is exact after upsampling, at
borders and around residuals. It ends at the borders of the input, and a fully connected layer sees all of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caedsl.facts.fact import network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer, once_per_fit
from caedsl.vocabulary.shape import Sizes, rank
from caedsl.vocabulary.window import Reads

PLACES = 64
"""Number of outputs in the middle of each axis that are traced: total upsampling beyond this is not distinguished."""
_UNTRACED = -1


def receptive_fields(model: Autoencoder) -> dict[int, Sizes]:
    """Return the receptive field after every layer, by ``id(layer)``."""
    steps = _steps(layers for _, layers in model.parts)
    return {layer: _field(step, model.input.shape[1:]) for layer, step in steps.items()}


@network_fact
def code_field(model: Autoencoder) -> Sizes:
    """Return the receptive field of one number of the code."""
    layers = (*model.encoder, *model.bottleneck.layers)
    steps = _steps([layers])
    return _field(steps[id(layers[-1])] if layers else None, model.input.shape[1:])


class _Direction(NamedTuple):
    """Axis, and the end of it to look for: the first input that an output depends on, or the last."""

    axis: int
    last: bool


class _Step:
    """Layer with the steps that it reads; None stands for the input."""

    def __init__(self, layer: Layer, sources: Sequence["_Step | None"]) -> None:
        self.layer = layer
        self.sources = sources
        own = layer.kind.joins_all or layer.kind.role is Role.RESHAPING
        before = [source for source in sources if source is not None]
        self.mixes_places: bool = own or any(source.mixes_places for source in before)
        self.equal_axes: bool = _equal_axes(layer) and all(source.equal_axes for source in before)
        self.reads = () if self.mixes_places else _reads(layer)
        self.ends: defaultdict[_Direction, dict[int, int | None]] = defaultdict(dict)
        """The traced outputs, each with the end of the inputs that it depends on; None if it depends on none."""


def _steps(parts: Iterable[Sequence[Layer]]) -> dict[int, _Step | None]:
    """Return the step whose output is that of each layer, by ``id(layer)``."""
    steps: dict[int, _Step | None] = {}

    def follow(layers: Sequence[Layer], step: _Step | None) -> _Step | None:
        for layer in layers:
            if layer.kind.role is Role.GROUPING:
                step = follow(layer.children, step)
            elif layer.kind.role is Role.SUMMING:
                step = _Step(layer, (follow(layer.children, step), follow(layer.shortcut, step)))
            elif FROM in layer.options:
                other = steps.get(id(layer.source))
                step = _Step(layer, (other,) if layer.kind.starts_branch else (step, other))
            else:
                step = _before_round_trip(_Step(layer, (step,)))
            steps[id(layer)] = step
        return step

    step = None
    for layers in parts:
        step = follow(layers, step)
    return steps


def _before_round_trip(last: _Step) -> _Step | None:
    """Return the step before the reshape that ``last`` undoes, or ``last`` itself if it undoes none."""
    if last.layer.kind.role is not Role.RESHAPING:
        return last
    found: _Step | None = last
    step: _Step | None = last
    while step is not None and _keeps_each_number(step.layer):
        shape = step.layer.in_shape
        if step.layer.kind.role is Role.RESHAPING and rank(shape) and shape[1:] == last.layer.out_shape[1:]:
            found = step.sources[0]
        step = step.sources[0]
    return found


def _keeps_each_number(layer: Layer) -> bool:
    if layer.kind.role is Role.RESHAPING:
        return True
    return layer.kind.role is Role.PASSING and layer.in_shape == layer.out_shape and not layer.kind.window


@once_per_fit
def _reads(layer: Layer) -> tuple[Reads, ...]:
    return layer.kind.reads(layer)


@once_per_fit
def _equal_axes(layer: Layer) -> bool:
    """Return whether all axes have the same sizes and options."""
    sizes = {*layer.in_shape[1:]}, {*layer.out_shape[1:]}
    return layer.kind.role is not Role.JOINING and max(map(len, sizes)) < 2 and layer.options.same_on_all_axes


def _field(step: _Step | None, whole: Sizes) -> Sizes:
    """Return the receptive field after a step for an input of the sizes ``whole``."""
    while step is not None and _keeps_each_number(step.layer):
        step = step.sources[0]
    if step is None:
        return (1,) * len(whole)
    if step.mixes_places or rank(step.layer.out_shape) != len(whole):
        return whole
    if step.equal_axes:
        return (_widest(step, 0, whole[0]),) * len(whole)
    return tuple(_widest(step, axis, size) for axis, size in enumerate(whole))


def _widest(step: _Step, axis: int, most: int) -> int:
    """Return the most inputs along an axis that one output depends on; none depends on more than ``most``."""
    size = step.layer.out_shape[1 + axis]
    start = max(0, (size - PLACES) // 2)
    widest = 0
    for place in range(start, min(size, start + PLACES)):
        first, last = (_end(step, place, _Direction(axis, last)) for last in (False, True))
        if first is not None and last is not None:
            widest = max(widest, last - first + 1)
        if widest == most:
            break
    return widest


def _end(step: _Step, place: int, direction: _Direction) -> int | None:
    """Return the first or the last input that an output depends on, or None if it depends on none."""
    waiting = [(step, place)]
    while waiting:
        after, output = waiting[-1]
        first, last = after.reads[direction.axis](output)
        read = range(last, first - 1, -1) if direction.last else range(first, last + 1)
        ends: list[int] = []
        for source in after.sources:
            near, end = _nearest(source, read, direction)
            if source is not None and end == _UNTRACED:
                waiting.append((source, near))
                break
            ends += [] if end is None else [end]
        else:
            after.ends[direction][output] = (max if direction.last else min)(ends, default=None)
            waiting.pop()
    return step.ends[direction][place]


def _nearest(source: _Step | None, read: Iterable[int], direction: _Direction) -> tuple[int, int | None]:
    """Return the first of the outputs ``read`` that depends on an input or is not traced yet, with its end."""
    for near in read:
        end = near if source is None else source.ends[direction].get(near, _UNTRACED)
        if end is not None:
            return near, end
    return 0, None
