"""Turn a model into a graph of blocks, one per layer, which ``dot`` and ``mermaid`` write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from caedsl.figures.caption import caption, code_options, output_word, parameters_each, shape_text, size_of_code
from caedsl.figures.repeats import DEEPEST, MOST_ITEMS, Copies, alone, chunks, contents, inside, repeats, shortcut_of
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.input_name import InputName
from caedsl.vocabulary.shape import Shape


@dataclass(frozen=True)
class LayerBlock:
    """One layer, or several equal layers in a row; ``counts`` are the parameters of each.

    ``role`` is ``layer``, ``sum`` (the ⊕ of a residual) or ``end`` (the input, the code if no layer makes it, and the
    reconstruction). ``reshapes`` says that the output shape differs from the input shape; ``notes`` describe the code.
    """

    id: str
    role: str
    head: str
    details: str
    shape: Shape
    counts: tuple[int, ...] = ()
    reshapes: bool = False
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """Text in the block after its head and details."""
        return tuple(text for text in (shape_text(self.shape), parameters_each(self.counts), *self.notes) if text)


@dataclass(frozen=True)
class Edge:
    """Edge between blocks; ``label`` is the shape that passes, if ``start`` made it, and the name of a skip.

    ``shortcut`` marks skips, and the end of the way around a residual's layers.
    """

    start: str
    end: str
    label: str
    shortcut: bool = False


@dataclass
class Cluster:
    """Blocks and clusters with a frame and a label around them; ``part`` names the colour."""

    id: str
    label: str
    part: str
    members: "list[LayerBlock | Cluster]" = field(default_factory=list)


@dataclass
class Blocks:
    """Whole graph: what comes before the parts, the parts, what comes after, and the edges in order."""

    name: str
    input: LayerBlock
    parts: list[Cluster] = field(default_factory=list)
    output: LayerBlock | None = None
    edges: list[Edge] = field(default_factory=list)


def blocks(model: Autoencoder) -> Blocks:
    """Return the graph of a model; parts without layers are omitted, except the bottleneck."""
    whole = _Builder(model, DEEPEST, alone)
    return whole.graph if whole.number <= MOST_ITEMS else _Builder(model, 0, chunks).graph


class _Builder:
    """Builder that follows the data through the model; ``last`` is the current block."""

    def __init__(self, model: Autoencoder, deepest: int, split: Callable[[Sequence[Layer]], list[Copies]]) -> None:
        self.deepest = deepest
        start = LayerBlock("input", "end", "input", "", model.input.shape, reshapes=True)
        self.graph = Blocks(model.name, start)
        self.last = start
        self.number = self.clusters = 0
        self.blocks: dict[int, LayerBlock] = {}
        for part, layers in model.parts:
            cluster = Cluster(part, part, part)
            self._extend(cluster, split(layers))
            if part == "bottleneck":
                self._finish_bottleneck(cluster, model)
            if cluster.members:
                self.graph.parts.append(cluster)
        end = LayerBlock("reconstruction", "end", output_word(model), "", model.out_shape)
        self._connect(end)
        self.graph.output = end

    def _finish_bottleneck(self, cluster: Cluster, model: Autoencoder) -> None:
        if not cluster.members:
            self._append(cluster, LayerBlock("code", "end", "code", "", model.code_shape))
        self.last = cluster.members[-1] = replace(self.last, notes=(size_of_code(model)[1], *code_options(model)))

    def _extend(self, cluster: Cluster, layers: Sequence[Copies], depth: int = 0) -> None:
        for pattern, times in repeats(layers):
            first = pattern[0][0]
            repeated = f"×{times}" if times > 1 else ""
            if len(pattern) > 1:
                self._extend(self._nested(cluster, repeated), pattern, depth + 1)
            elif first.kind.starts_branch or isinstance(first.kind, InputName):
                if first.kind.starts_branch:
                    self.last = self.blocks.get(id(first.source), self.graph.input)
                self.blocks |= {id(layer): self.last for layer in pattern[0]}
            elif not first.children:
                head, details = caption(first)
                self._append(cluster, self._block("layer", f"{head} {repeated}".strip(), details, pattern[0]))
                self._read(pattern[0])
            elif depth >= self.deepest:
                self._append(cluster, self._folded(pattern[0], repeated))
                self._read(pattern[0])
            elif first.kind.role is Role.SUMMING:
                self._residual(self._nested(cluster, f"residual {repeated}".strip()), pattern[0], depth + 1)
            else:
                self._extend(self._nested(cluster, f"{first.label} {repeated}".strip()), inside(pattern[0]), depth + 1)
                self.blocks |= {id(layer): self.last for layer in pattern[0]}

    def _read(self, copies: Copies) -> None:
        """Draw an edge from each output that the layers read by name."""
        for layer in (inner for copy in copies for inner in copy.walk()):
            if FROM in layer.options:
                start = self.blocks.get(id(layer.source), self.graph.input)
                edge = Edge(start.id, self.last.id, layer.options[FROM], shortcut=True)
                if start is not self.last and edge not in self.graph.edges:
                    self.graph.edges.append(edge)

    def _residual(self, cluster: Cluster, group: Copies, depth: int) -> None:
        start = self.last
        self._extend(cluster, inside(group), depth)
        body, self.last = self.last, start
        self._extend(cluster, shortcut_of(group), depth)
        shortcut, self.last = self.last, body
        total = self._block("sum", "⊕", caption(group[0])[1], group)
        self._append(cluster, total)
        self.graph.edges.append(_edge(shortcut, total, shortcut=True))

    def _nested(self, cluster: Cluster, label: str) -> Cluster:
        self.clusters += 1
        nested = Cluster(f"group{self.clusters}", label, cluster.part)
        cluster.members.append(nested)
        return nested

    def _block(self, role: str, head: str, details: Sequence[str], copies: Copies) -> LayerBlock:
        self.number += 1
        counts = tuple(layer.parameters for layer in copies)
        words = " ".join(word for word in details if word)
        reshapes = role == "layer" and copies[0].in_shape != copies[0].out_shape
        block = LayerBlock(f"n{self.number}", role, head, words, copies[0].out_shape, counts, reshapes)
        for layer in copies:
            self.blocks |= {id(inner): block for inner in layer.walk()}
        return block

    def _folded(self, groups: Copies, repeated: str) -> LayerBlock:
        """Return one block for a group that is nested too deep to be expanded."""
        details = (contents(groups[0]), *caption(groups[0])[1])
        counts = tuple(sum(layer.parameters for layer in group.walk()) for group in groups)
        return replace(self._block("layer", f"{groups[0].label} {repeated}".strip(), details, groups), counts=counts)

    def _append(self, cluster: Cluster, block: LayerBlock) -> None:
        cluster.members.append(block)
        self._connect(block)

    def _connect(self, block: LayerBlock) -> None:
        self.graph.edges.append(_edge(self.last, block))
        self.last = block


def _edge(start: LayerBlock, end: LayerBlock, shortcut: bool = False) -> Edge:
    return Edge(start.id, end.id, shape_text(start.shape) if start.reshapes and not shortcut else "", shortcut)
