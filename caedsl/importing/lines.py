"""Lines of a spec from the items of a network: what follows a layer is written on its line if possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caedsl.importing.network import INPUT, ForeignLayer, Network
from caedsl.importing.structure import Item
from caedsl.importing.windows import is_pointwise
from caedsl.vocabulary import norms
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.bottlenecks.quantized import Quantized
from caedsl.vocabulary.code_kinds import CODEBOOK
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kernel_options import BIAS
from caedsl.vocabulary.kind import DROPOUT, FINISH
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.dropout import ELEMENTWISE, RATE
from caedsl.vocabulary.layers.residual import Residual
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.spelling import changed, written

_EFFECTS = (NORM, ACTIVATION, DROPOUT)
"""Options after the main operation of a layer, in the order of effect."""


@dataclass(eq=False)
class WrittenLine:
    """Line of a spec with the foreign layers that it expresses, in the order of computation.

    ``word`` is the name of a layer kind, or of a form of the bottleneck.
    """

    word: str
    layers: list[ForeignLayer]
    options: Options
    effect: int = -1
    named: str = ""
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

    @property
    def text(self) -> str:
        """The line as it is written in a part of the network."""
        inside = [line.text for line in self.children]
        if self.shortcut:
            inside.append(f"shortcut {{ {'; '.join(line.text for line in self.shortcut)} }}")
        block = ("{\n" + "\n".join(inside) + "\n}",) if inside else ()
        named = (f"as {self.named}",) if self.named else ()
        kind = KINDS[self.word]
        return " ".join((self.word, *words(kind.options, self.options, kind.implied(self.options)), *named, *block))

    @property
    def text_of_code(self) -> str:
        """The line as it is written after ``bottleneck``."""
        implied = KINDS[self.word].implied(self.options) if self.word in KINDS else {}
        return " ".join((self.word, *words(BY_NAME[self.word].options, self.options, implied)))


def words(declared: Sequence[Option], options: Options, implied: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options that differ from their defaults as a spec writes them, those of the finish last."""
    order = sorted(declared, key=lambda option: (option in FINISH, option == BIAS))
    for option in changed(order, options, implied):
        yield written(option, options.of_any_type(option), exact=True)


def lines_of(items: Sequence[Item], names: Mapping[str, str]) -> tuple[WrittenLine, ...]:
    """Return the lines of a part; an output in ``names`` ends its line, which gets that name."""
    lines: list[WrittenLine] = []
    for place, item in enumerate(items):
        if not lines or lines[-1].named or not _joined(lines[-1], item.layer):
            lines.append(_line(item, names))
        last = place + 1 == len(items) or items[place + 1].layer is not item.layer
        lines[-1].named = names.get(item.layer.key, "") if last else ""
    return tuple(lines)


def _line(item: Item, names: Mapping[str, str]) -> WrittenLine:
    layer = item.layer
    if item.body:
        children, shortcut = lines_of(item.body, names), lines_of(item.shortcut, names)
        return WrittenLine(Residual.name, [layer], layer.options, children=children, shortcut=shortcut)
    more: dict[Option, Any] = {FROM: names[item.reads]} if item.reads else {}
    if layer.declared is not None and BIAS in layer.declared.options:
        more[BIAS] = "bias" in layer.weights
    return WrittenLine(layer.kind, [layer], layer.options.changed(more))


def _joined(line: WrittenLine, layer: ForeignLayer) -> bool:
    """Put ``layer`` on ``line`` if the order of effect allows it, and return whether it is there now."""
    if layer.kind == Quantized.name and len(line.layers) == 1 and _makes_vectors(line.layers[0]):
        (vectors,) = layer.options[CODEBOOK]
        line.word, line.options = layer.kind, layer.options.changed({CODEBOOK: (vectors, layer.shape[0])})
        line.layers.append(layer)
        return True
    option = finish_of(layer)
    effect = _EFFECTS.index(option) if option is not None else -1
    if effect <= line.effect or line.word not in KINDS or option not in KINDS[line.word].options:
        return False
    if layer.options.get(ELEMENTWISE, False):  # `dropout=` on a line drops whole channels
        return False
    line.options, line.effect = line.options.changed(_as_finish(layer)), effect
    line.layers.append(layer)
    return True


def _makes_vectors(layer: ForeignLayer) -> bool:
    """Return whether a layer is the convolution on the line of a codebook."""
    return is_pointwise(layer) and "bias" in layer.weights


def finish_of(layer: ForeignLayer) -> Option | None:
    """Return the option of other lines that has the effect of this layer, or None."""
    if NORM in layer.options:
        return NORM
    if layer.activation is not None:
        return ACTIVATION
    return DROPOUT if RATE in layer.options else None


def _as_finish(layer: ForeignLayer) -> dict[Option, Any]:
    if layer.activation is not None:
        return {ACTIVATION: layer.activation}
    if RATE in layer.options:
        return {DROPOUT: layer.options[RATE]}
    return {option: layer.options.of_any_type(option) for option in norms.OPTIONS if option in layer.options}


def names_of(network: Network, items: Sequence[Item]) -> dict[str, str]:
    """Return names for the outputs that some line reads by name."""
    read = {inner.reads for item in items for inner in item.walk()}
    keys = [layer.key for layer in network.layers if layer.key in read]
    return {INPUT: INPUT} | {key: f"map{place}" for place, key in enumerate(keys, 1)}
