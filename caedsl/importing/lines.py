"""Lines of a spec from the items of a network: what follows a layer is written on its line if possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from caedsl.importing.network import INPUT, ForeignLayer, Network
from caedsl.importing.structure import Item
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.kind import DROPOUT
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.weights import BIAS

_NORM, _ACTIVATION, _DROPOUT = 1, 2, 3
_WORDS = {"quantizer": "quantized"}
"""Words of layers that a line writes otherwise."""


@dataclass(eq=False)
class WrittenLine:
    """Line of a spec with the foreign layers that it expresses, in the order of computation."""

    word: str
    layers: list[ForeignLayer]
    base: Item
    finish: list[str] = field(default_factory=list)
    effect: int = 0
    named: str = ""
    options: str = ""
    children: "tuple[WrittenLine, ...]" = ()
    shortcut: "tuple[WrittenLine, ...]" = ()

    def walk(self) -> "Iterator[WrittenLine]":
        """Yield the lines inside, and then this one."""
        for inner in (*self.children, *self.shortcut):
            yield from inner.walk()
        yield self

    def written(self) -> "Iterator[WrittenLine]":
        """Yield this line, and then those inside: the order of the text."""
        yield self
        for inner in (*self.children, *self.shortcut):
            yield from inner.written()

    def text(self, names: Mapping[str, str]) -> str:
        """Return the line; ``names`` are those of the outputs that lines read."""
        layer = self.layers[0]
        options = layer.options if not self.children else ""
        if self.base.reads:
            options = f"{names[self.base.reads]} {options}".rstrip()
        bias = ""
        if BIAS in KINDS[self.word].options:
            has, implied = "bias" in layer.weights, not any(each.startswith("norm=") for each in self.finish)
            bias = "" if has == implied else f"bias={'on' if has else 'off'}"
        inside = [line.text(names) for line in self.children]
        if self.shortcut:
            inside.append(f"shortcut {{ {'; '.join(line.text(names) for line in self.shortcut)} }}")
        block = "{\n" + "\n".join(inside) + "\n}" if inside else ""
        named = f"as {self.named}" if self.named else ""
        return " ".join(filter(None, (self.word, options, bias, *self.finish, named, block)))


def lines_of(items: Sequence[Item], names: Mapping[str, str]) -> tuple[WrittenLine, ...]:
    """Return the lines of a part; an output in ``names`` ends its line, which gets that name."""
    lines: list[WrittenLine] = []
    for place, item in enumerate(items):
        if not lines or lines[-1].named or not _joined(lines[-1], item):
            children, shortcut = lines_of(item.body, names), lines_of(item.shortcut, names)
            word = "residual" if item.body else _WORDS.get(item.layer.kind, item.layer.kind)
            lines.append(WrittenLine(word, [item.layer], item, children=children, shortcut=shortcut))
        last = place + 1 == len(items) or items[place + 1].layer is not item.layer
        lines[-1].named = names.get(item.layer.key, "") if last else ""
    return tuple(lines)


def _joined(line: WrittenLine, item: Item) -> bool:
    """Put ``item`` on ``line`` if the order of effect allows it, and return whether it is there now."""
    kind, layer = item.layer.kind, item.layer
    if kind == "quantizer" and line.word == "conv" and line.text({}) == f"conv {layer.shape[0]} k1":
        vectors, _, rest = layer.options.partition(" ")
        line.word, line.options = "quantized", f"{vectors}x{layer.shape[0]} {rest}".rstrip()
        line.layers.append(layer)
        return True
    effect, option = _effect(layer)
    if not effect or effect <= line.effect or option not in KINDS[line.word].options:
        return False
    if kind == "norm":
        line.finish.append(f"norm={layer.options}")
    elif kind == "dropout":
        line.finish.append(f"dropout={layer.options}")
    else:
        line.finish.append(f"{kind}={layer.options}" if layer.options else kind)
    line.effect = effect
    line.layers.append(layer)
    return True


def _effect(layer: ForeignLayer) -> tuple[int, object]:
    if layer.kind == "norm":
        return _NORM, NORM
    if layer.kind in FUNCTIONS:
        return _ACTIVATION, ACTIVATION
    if layer.kind == "dropout" and "elementwise" not in layer.options:
        return _DROPOUT, DROPOUT
    return 0, None


def names_of(network: Network, items: Sequence[Item]) -> dict[str, str]:
    """Return names for the outputs that some line reads by name."""
    read = {inner.reads for item in items for inner in item.walk()}
    keys = [layer.key for layer in network.layers if layer.key in read]
    return {INPUT: INPUT} | {key: f"map{place}" for place, key in enumerate(keys, 1)}
