"""Order of the lines: a chain of layers with residuals, joins that read an output by name, and branches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from caedsl.importing.errors import ImportFailure
from caedsl.importing.names import part_of
from caedsl.importing.network import INPUT, ForeignLayer, Network
from caedsl.vocabulary.layers.add import Add
from caedsl.vocabulary.layers.branch import From
from caedsl.vocabulary.option import Options


@dataclass(frozen=True, eq=False)
class Item:
    """Line under construction: a layer, the layers of a residual that it closes, or the output it reads by name."""

    layer: ForeignLayer
    body: tuple["Item", ...] = ()
    shortcut: tuple["Item", ...] = ()
    reads: str = ""

    def walk(self) -> Iterator["Item"]:
        """Yield the items inside, and then this one."""
        for inner in (*self.body, *self.shortcut):
            yield from inner.walk()
        yield self


def chain_of(network: Network) -> tuple[Item, ...]:
    """Return the lines of the whole network."""
    if not network.layers:
        raise ImportFailure(f"{network.name} was not imported: it has no layers")
    structure = _Structure(network)
    items = tuple(structure.chain(network.layers[-1].key, INPUT))
    written = {inner.layer.key for item in items for inner in item.walk()}
    if all(layer.key in written for layer in network.layers):
        return items
    return tuple(structure.branches(network))


def last_computed(layer: ForeignLayer, place: Mapping[str, int]) -> str:
    """Return the input of a layer that the line before it returns: the one computed last."""
    return max(layer.inputs, key=place.__getitem__)


class _Structure:
    """Layers of a network by key, and the lines that lead from one output to another."""

    def __init__(self, network: Network) -> None:
        self.layers = {layer.key: layer for layer in network.layers}
        self.place = {INPUT: -1} | {layer.key: place for place, layer in enumerate(network.layers)}
        self.shapes = {INPUT: network.input_shape} | {layer.key: layer.shape for layer in network.layers}
        self.readers: dict[str, set[str]] = {}
        for layer in network.layers:
            for key in layer.inputs:
                self.readers.setdefault(key, set()).add(layer.key)
        self.residuals: dict[str, tuple[str, str, str] | None] = {}

    def chain(self, end: str, start: str) -> list[Item]:
        """Return the lines after the output ``start`` up to the output ``end``."""
        items: list[Item] = []
        while end != start:
            layer = self.layers[end]
            residual = self.residual(layer)
            main = residual[0] if residual else last_computed(layer, self.place)
            items += self._joined(layer, main, residual)
            end = main
        return items[::-1]

    def branches(self, network: Network) -> Iterator[Item]:
        """Yield the lines in the order of computation, with a ``from`` where a line does not follow from the last."""
        inside: set[str] = set()
        for layer in reversed(network.layers):
            residual = None if layer.key in inside else self.residual(layer)
            for end in residual[1:] if residual else ():
                inside |= {item.layer.key for item in _walked(self.chain(end, residual[0] if residual else ""))}
        before = INPUT
        for layer in network.layers:
            if layer.key in inside:
                continue
            residual = self.residual(layer)
            main = residual[0] if residual else last_computed(layer, self.place)
            if main != before:
                start = ForeignLayer(
                    f"{layer.key} from {main}", layer.name, From.name, Options({}), (main,), self.shapes[main]
                )
                yield Item(start, reads=main)
            yield from reversed(self._joined(layer, main, residual))
            before = layer.key

    def _joined(self, layer: ForeignLayer, main: str, residual: tuple[str, str, str] | None) -> list[Item]:
        """Return the lines of a layer after the output ``main``, last first: one for each output that it joins."""
        if residual is not None:
            fork, body, shortcut = residual
            return [Item(layer, tuple(self.chain(body, fork)), tuple(self.chain(shortcut, fork)))]
        others = [key for key in layer.inputs if key != main]
        others += [main] * (len(layer.inputs) - len(others) - 1)
        return [Item(layer, reads=key) for key in reversed(others)] or [Item(layer)]

    def residual(self, layer: ForeignLayer) -> tuple[str, str, str] | None:
        """Return the fork, the end of the body and the end of the shortcut if ``layer`` closes a residual."""
        if layer.kind != Add.name or len(set(layer.inputs)) != 2 or len(layer.inputs) != 2:
            return None
        if layer.key not in self.residuals:
            self.residuals[layer.key] = self._residual(layer)
        return self.residuals[layer.key]

    def _residual(self, layer: ForeignLayer) -> tuple[str, str, str] | None:
        one, two = layer.inputs
        others = set(self._backwards(two))
        fork = next((key for key in self._backwards(one) if key in others), None)
        if fork is None:
            return None
        ways = sorted((self.chain(end, fork) for end in (one, two)), key=len)
        items = [item for way in ways for item in _walked(way)]
        inside = {item.layer.key for item in items}
        if any(item.reads for item in items):
            return None
        if any(not self.readers[key] <= inside | {layer.key} for key in inside):
            return None
        parts = [part_of(self.layers[key].name) for key in inside]
        if "encoder" in parts and "decoder" in parts:
            return None
        if self._narrows([fork, *(item.layer.key for item in ways[1])]):
            return None
        body = ways[1][-1].layer.key
        return fork, body, one if body == two else two

    def _backwards(self, key: str) -> Iterator[str]:
        """Yield the outputs on the way back to the input, crossing residuals in one step."""
        while key != INPUT:
            yield key
            layer = self.layers[key]
            residual = self.residual(layer)
            key = residual[0] if residual else last_computed(layer, self.place)
        yield INPUT

    def _narrows(self, keys: Sequence[str]) -> bool:
        """Return whether the maps on the way become smaller and larger again, as they do around a code."""
        shapes = [self.shapes[key] for key in keys]
        maps = all(len(shape) > 1 for shape in shapes)
        sizes = [prod(shape[1:] if maps else shape) for shape in shapes]
        return min(sizes) < min(sizes[0], sizes[-1])


def _walked(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield from item.walk()
