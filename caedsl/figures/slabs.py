"""Turn a model into the slabs of an hourglass (feature maps and vectors), each with the layers that lead to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from caedsl.figures.caption import caption, line
from caedsl.figures.repeats import DEEPEST, MOST_ITEMS, Copies, alone, chunks, contents, inside, repeats
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Source
from caedsl.vocabulary.joining import FROM, OTHER
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.input_name import InputName
from caedsl.vocabulary.shape import Shape, is_map


@dataclass(frozen=True)
class LayerCaption:
    """Text under a slab for one layer: its caption in two parts; ``spec`` is all of it with its place."""

    head: str
    details: tuple[str, ...]
    spec: str


@dataclass(frozen=True)
class Slab:
    """Output of one layer, or of several in a row that share its shape.

    ``groups`` are the groups around it, outermost first, as indices into ``Hourglass.groups``. ``starts_branch`` says
    that it follows from a named output and not from the slab before it.
    """

    part: str
    shape: Shape
    operations: tuple[LayerCaption, ...]
    groups: tuple[int, ...] = ()
    starts_branch: bool = False

    @property
    def resolution(self) -> Shape:
        """Sizes of the spatial axes; empty for a vector."""
        return self.shape[1:]


@dataclass(frozen=True)
class GroupAround:
    """Group of slabs, from ``first`` to ``last``.

    ``label`` is written over it. ``added`` says that its input is added to its output. ``depth`` is the number of
    labelled groups around it.
    """

    label: str
    added: bool
    first: int
    last: int
    depth: int


@dataclass(frozen=True)
class Skip:
    """Named output that slab ``end`` reads and slab ``start`` makes; ``FROM_INPUT`` stands for the network's input.

    ``name`` is the output, ``shape`` its shape, and ``reader`` the caption of the layer that reads it.
    """

    start: int
    end: int
    name: str
    shape: Shape
    reader: str


FROM_INPUT = -1


@dataclass
class Hourglass:
    """All slabs in the order of the data, the groups around them, outer before inner, and the skips past them."""

    slabs: list[Slab] = field(default_factory=list)
    groups: list[GroupAround] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)


def hourglass(model: Autoencoder) -> Hourglass:
    """Return the slabs of a model; there is always exactly one for the bottleneck."""
    found = _hourglass(model, DEEPEST, alone)
    listed = sum(len(slab.operations) for slab in found.slabs)
    return found if listed <= MOST_ITEMS else _hourglass(model, 0, chunks)


def _hourglass(model: Autoencoder, deepest: int, split: Callable[[Sequence[Layer]], list[Copies]]) -> Hourglass:
    found, outputs = Hourglass(), _Outputs(model)
    for part, layers in model.parts:
        if part == "bottleneck":
            code = tuple(_operation(model.source, layer, 1) for layer in layers)
            found.slabs.append(Slab(part, model.code_shape, code))
            outputs.note(len(found.slabs) - 1, layers)
        else:
            _Walk(found, outputs, model.source, part, deepest).extend(split(layers), ())
    found.skips = outputs.skips()
    return found


class _Outputs:
    """Record of which slab shows the output of a layer, and which outputs are read by name."""

    def __init__(self, model: Autoencoder) -> None:
        every = [inner for _, layers in model.parts for layer in layers for inner in layer.walk()]
        self.read = {id(layer.source) for layer in every if layer.source}
        self.slab: dict[int, int] = {}
        self.starts: set[int] = set()
        self.readers: list[tuple[Layer, int]] = []

    def note(self, slab: int, layers: Sequence[Layer]) -> None:
        """Record that a slab shows these layers and those inside them."""
        within = [inner for layer in layers for inner in layer.walk()]
        self.slab |= dict.fromkeys(map(id, within), slab)
        if any(id(layer) in self.read for layer in within):
            self.starts.add(slab)
        self.readers += ((layer, slab) for layer in within if FROM in layer.options)

    def skips(self) -> list[Skip]:
        """Return every skip from a slab to a later one, once."""
        found: dict[Skip, None] = {}
        for layer, end in self.readers:
            start = self.slab[id(layer.source)] if layer.source else FROM_INPUT
            if start < end:
                found[Skip(start, end, layer.options[FROM], layer.options[OTHER], caption(layer)[0])] = None
        return list(found)


@dataclass(frozen=True)
class _Walk:
    """Layers of one part on their way into the hourglass."""

    found: Hourglass
    outputs: _Outputs
    source: Source
    part: str
    deepest: int

    def extend(self, layers: Sequence[Copies], around: tuple[int, ...]) -> None:
        for pattern, times in repeats(layers):
            first = pattern[0][0]
            repeated = f"×{times}" if times > 1 else ""
            if len(pattern) > 1:
                self._surround(pattern, around, repeated, added=False)
            elif isinstance(first.kind, InputName):
                self.outputs.note(len(self.found.slabs) - 1, pattern[0])
            elif not first.children or len(around) >= self.deepest:
                operation = _operation(self.source, first, times)
                slab = Slab(self.part, first.out_shape, (operation,), around, first.kind.starts_branch)
                self._add(slab, pattern[0])
            elif first.kind.role is Role.SUMMING:
                self._surround(inside(pattern[0]), around, repeated, added=True)
                self._note_on_sum(pattern[0])
            else:
                self._surround(inside(pattern[0]), around, f"{first.label} {repeated}".strip(), added=False)
            if first.children and len(pattern) == 1:
                self.outputs.slab |= dict.fromkeys(map(id, pattern[0]), len(self.found.slabs) - 1)

    def _surround(self, layers: Sequence[Copies], around: tuple[int, ...], label: str, added: bool) -> None:
        groups, first = self.found.groups, len(self.found.slabs)
        number, depth = len(groups), sum(bool(groups[i].label) for i in around)
        groups.append(GroupAround(label, added, first, first, depth))
        self.extend(layers, (*around, number))
        groups[number] = replace(groups[number], last=len(self.found.slabs) - 1)

    def _add(self, slab: Slab, copies: Copies) -> None:
        slabs = self.found.slabs
        if self._continues(slab, copies[0]):
            operations = (*slabs[-1].operations, *slab.operations)
            slabs[-1] = replace(slab, operations=operations, starts_branch=slabs[-1].starts_branch)
        else:
            slabs.append(slab)
        self.outputs.note(len(slabs) - 1, copies)

    def _continues(self, slab: Slab, layer: Layer) -> bool:
        """Return whether the slab can be drawn as one with the last, with no skip that starts or ends in between."""
        last = self.found.slabs[-1] if self.found.slabs else None
        if last is None or (last.part, last.groups) != (slab.part, slab.groups):
            return False
        if FROM in layer.options or len(self.found.slabs) - 1 in self.outputs.starts:
            return False
        # A vector that only exists to be reshaped is not drawn: the map that it becomes represents both.
        reshaped = is_map(slab.shape) and layer.in_shape == last.shape and not is_map(last.shape)
        return last.shape == slab.shape or reshaped

    def _note_on_sum(self, groups: Copies) -> None:
        """Write under the last slab what happens at the sum: the projection of the input, the activation after it."""
        group = groups[0]
        self.outputs.note(len(self.found.slabs) - 1, tuple(layer for each in groups for layer in each.shortcut))
        added = [(f"+ {caption(layer)[0]}", caption(layer)[1], line(layer)) for layer in group.shortcut]
        after = [(word, (), line(group)) for word in caption(group)[1]]
        notes = (LayerCaption(*note) for note in (added or [("+ input", (), line(group))]) + after)
        last = self.found.slabs[-1]
        self.found.slabs[-1] = replace(last, operations=(*last.operations, *notes))


def _operation(source: Source, layer: Layer, times: int) -> LayerCaption:
    head, details = caption(layer)
    if layer.children:
        head, details = layer.label, (contents(layer), *details)
    repeated = (f"×{times}",) if times > 1 else ()
    place = f"line {source.position(layer.span.start).line}"
    if layer.mirrors:
        place = f"mirrors line {source.position(layer.mirrors.span.start).line}"
    return LayerCaption(" ".join((head, *repeated)), details, f"{' '.join((line(layer), *repeated))} ({place})")
