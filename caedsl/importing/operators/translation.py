"""Translate an operator graph into the layers of a network: the state that the translators of operators share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from torch import Tensor

from caedsl.importing.errors import UnsupportedFeature, UnsupportedLayer
from caedsl.importing.network import INPUT, Array, ForeignLayer, number_of
from caedsl.importing.operators.graph import AtenGraph, AtenNode, Ref
from caedsl.importing.windows import WindowSizes
from caedsl.vocabulary.activations import Activation
from caedsl.vocabulary.kind import written
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.shape import Shape, text

_CONTAINERS = ("torch.nn.modules.container.",)


@dataclass(frozen=True)
class Padding:
    """Padding that the next convolution may absorb: amounts before and after, and the fill mode."""

    sides: tuple[tuple[int, int], ...]
    mode: str


class TransposedWindow(NamedTuple):
    """Window of a transposed convolution whose end may be cut off after it, and its padding."""

    window: WindowSizes
    padding: tuple[int, ...]


class Translation:
    """Layers so far, with the key of the output for each tensor of the graph."""

    def __init__(self, graph: AtenGraph) -> None:
        self.graph = graph
        self.producers: dict[str, AtenNode] = {name: node for node in graph.nodes for name in node.outputs}
        self.readers: dict[str, list[AtenNode]] = {}
        for node in graph.nodes:
            for name in node.refs:
                self.readers.setdefault(name, []).append(node)
        self.keys: dict[str, str] = {graph.inputs[0]: INPUT}
        self.of_weights: dict[str, str] = {name: name for name in graph.tensors}
        """Tensors computed from weights alone: the weight that each rearranges, or an empty text for other sums."""
        self.layers: dict[str, ForeignLayer] = {}
        self.margins: dict[str, Padding] = {}
        self.windows: dict[str, TransposedWindow] = {}
        self.problems: list[UnsupportedLayer] = []
        self.notes: list[str] = []
        self.used: dict[str, str] = {}
        self.moved: set[str] = set()
        """Tensors whose axes an operator without a counterpart has moved."""

    def shape(self, name: str) -> Shape:
        """Return the shape of a tensor, without the batch."""
        return self.graph.shapes[name][1:]

    def shape_of(self, key: str) -> Shape:
        """Return the shape of the output ``key``."""
        return self.shape(self.graph.inputs[0]) if key == INPUT else self.layers[key].shape

    def name_of(self, node: AtenNode) -> str:
        """Return the author's name of a node: the path of its module, or the node's own name in a ``forward``."""
        path, kind = next(((p, k) for p, k in reversed(node.scopes) if p), ("", ""))
        if path and kind.startswith("torch.nn.modules.") and not kind.startswith(_CONTAINERS):
            return path
        return f"{path}.{node.name}" if path else node.name

    def detached(self) -> set[str]:
        """Return the author's names of the layers whose weights no gradient reaches, because of a ``detach``."""
        trained = self.graph.trained()
        return {self.name_of(self.producers[reader]) for reader in self.used.values() if reader not in trained}

    def key(self, ref: Any) -> str:
        """Return the key of a tensor; raise ``UnsupportedFeature`` if layers did not compute it from the input."""
        if isinstance(ref, Ref) and ref.name in self.keys:
            return self.keys[ref.name]
        if isinstance(ref, Ref) and ref.name in self.of_weights:
            raise UnsupportedFeature(f"it reads {self.weight_name(ref)} itself", "only layers have weights in a spec")
        raise UnsupportedFeature("it reads a number that no layer has computed from the input", "")

    def size(self, ref: Ref) -> Shape:
        """Return the whole shape of a tensor."""
        weight = self.graph.tensors.get(ref.name)
        return self.graph.shapes[ref.name] if weight is None else tuple(weight.shape)

    def weight_name(self, ref: Ref) -> str:
        """Return how a message calls a tensor that is computed from weights alone."""
        placeholder = self.of_weights[ref.name]
        return f"the weight {self.graph.parameters[placeholder]}" if placeholder else "a tensor made of weights"

    def alias(self, node: AtenNode, key: str) -> None:
        """Record that a node returns the output ``key``."""
        self.keys[node.name] = key

    def add(
        self,
        node: AtenNode,
        kind: str,
        options: Mapping[Option, Any],
        inputs: Sequence[str],
        weights: Mapping[str, Array] | None = None,
        *,
        shape: Shape | None = None,
        suffix: str = "",
    ) -> str:
        """Add a layer for a node and return its key."""
        key = node.name + suffix
        own = shape if shape is not None else self.shape(node.name)
        chosen = Options(written(options))
        self.layers[key] = ForeignLayer(key, self.name_of(node), kind, chosen, tuple(inputs), own, weights or {})
        self.keys[node.name] = key
        return key

    def activate(self, node: AtenNode, activation: Activation, source: Any) -> None:
        """Add an activation of the tensor ``source``."""
        self.add(node, activation.name, number_of(activation), [self.key(source)])

    def weight(self, node: AtenNode, ref: Any) -> Tensor | None:
        """Return the weight that a node reads; raise ``UnsupportedFeature`` if it is computed or read twice."""
        if ref is None:
            return None
        if not isinstance(ref, Ref) or ref.name not in self.graph.tensors:
            raise UnsupportedFeature(
                "its weight is recomputed in every step (weight or spectral normalisation, tied weights)",
                "nn.utils.parametrize.remove_parametrizations(layer, 'weight') makes it a plain weight",
            )
        parameter = self.graph.parameters[ref.name]
        owner = self.used.setdefault(parameter, node.name)
        if owner != node.name:
            raise UnsupportedFeature(
                f"it shares {parameter} with {self.name_of(self.producers[owner])}, but lines of a spec have weights "
                "of their own",
                "give it a layer of its own",
            )
        return self.graph.tensors[ref.name]

    def weights(self, node: AtenNode, **refs: Any) -> dict[str, Array]:
        """Return the weights of a node by their roles, without those that are None."""
        found = {role: self.weight(node, ref) for role, ref in refs.items()}
        return {role: _array(tensor) for role, tensor in found.items() if tensor is not None}

    def alone(self, name: str) -> bool:
        """Return whether only one node reads a tensor, which the graph does not return."""
        return len(self.readers.get(name, ())) == 1 and name not in self.graph.outputs

    def together(self, one: AtenNode, other: AtenNode) -> bool:
        """Return whether two nodes run in the same part of the author's module, or one of them in its ``forward``."""
        tops = [next((path.partition(".")[0] for path, _ in node.scopes if path), "") for node in (one, other)]
        return tops[0] == tops[1] or "" in tops

    def layer_class(self, node: AtenNode) -> str:
        """Return the class of ``torch.nn`` that a node runs in; empty for one of the author's own."""
        kind = node.scopes[-1][1] if node.scopes else ""
        own = kind.startswith("torch.nn.modules.") and not kind.startswith((*_CONTAINERS, "torch.nn.modules.onnx"))
        return kind.rpartition(".")[2] if own else ""

    def refuse(self, node: AtenNode, refused: UnsupportedFeature, consequence: bool = False) -> None:
        """Record a node without a counterpart and continue after it, so that every such layer is listed once.

        A ``consequence`` of a node that was refused before is not recorded.
        """
        name = self.name_of(node)
        known = self.layer_class(node) and any(each.name == name for each in self.problems)
        if not consequence and not known:
            self.problems.append(UnsupportedLayer(name, refused.what, refused.nearest))
        for output in node.outputs:
            if output in self.graph.shapes and output not in self.keys:
                self.layers[output] = ForeignLayer(output, name, "", Options({}), (), self.shape(output))
                self.keys[output] = output

    def replace(self, key: str, **changes: Any) -> None:
        """Change a layer."""
        self.layers[key] = replace(self.layers[key], **changes)


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
    return array


Translator = Callable[[Translation, AtenNode], None]
"""Function that adds the layer of a node, or raises ``UnsupportedFeature``."""


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """Return one number per axis; a single number, or a list of one, applies to all, as in PyTorch."""
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values * rank if len(values) == 1 else values


def shaped(shape: Shape) -> str:
    """Return a shape as a message shows it."""
    return text(shape) if shape else "a single number"
