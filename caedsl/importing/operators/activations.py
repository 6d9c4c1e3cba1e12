"""Activations that a ``forward`` computes in several steps."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from caedsl.importing.operators.graph import AtenGraph, AtenNode, Ref
from caedsl.vocabulary.activations import Activation


class ComputedActivation(NamedTuple):
    """Activation of ``source`` in several steps, and the names of the nodes before the last."""

    source: Ref
    activation: Activation
    inside: frozenset[str]


def activations_of(graph: AtenGraph) -> dict[str, ComputedActivation]:
    """Return the written-out activations of a graph, by the name of their last node."""
    made = {name: node for node in graph.nodes for name in node.outputs}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        for name in node.refs:
            counts[name] = counts.get(name, 0) + 1
    found: dict[str, ComputedActivation] = {}
    for node in graph.nodes:
        for search in (_softcap, _hardsigmoid, _silu):
            activation = search(made, node)
            if activation is not None and all(counts[name] == 1 for name in activation.inside):
                found[node.name] = activation
    return found


def _by(made: Mapping[str, AtenNode], ref: Any, *bases: str) -> AtenNode | None:
    """Return the node that computes a tensor, if it is one of these operators."""
    node = made.get(ref.name) if isinstance(ref, Ref) else None
    return node if node is not None and node.base in bases else None


def _factor(node: AtenNode) -> tuple[Ref, float] | None:
    """Return the tensor that a product scales by a number, and the number."""
    one, other = node.args["self"], node.args["other"]
    if isinstance(one, Ref) == isinstance(other, Ref) or not isinstance(one, Ref):
        return None
    return one, float(other) if node.base == "mul" else 1 / float(other)


def _softcap(made: Mapping[str, AtenNode], node: AtenNode) -> ComputedActivation | None:
    """Find cap · tanh(x / cap)."""
    outer = _factor(node) if node.base == "mul" else None
    tanh = _by(made, outer[0], "tanh") if outer else None
    scaled = _by(made, tanh.args["self"], "div", "mul") if tanh else None
    inner = _factor(scaled) if scaled else None
    if outer is None or tanh is None or scaled is None or inner is None or abs(outer[1] * inner[1] - 1) > 1e-9:
        return None
    return ComputedActivation(inner[0], Activation("softcap", outer[1]), frozenset({tanh.name, scaled.name}))


def _hardsigmoid(made: Mapping[str, AtenNode], node: AtenNode) -> ComputedActivation | None:
    """Find clamp(slope · x + 0.5, 0, 1)."""
    if node.base != "clamp" or (node.args.get("min"), node.args.get("max")) != (0, 1):
        return None
    shifted = _by(made, node.args["self"], "add")
    scaled = _by(made, shifted.args["self"], "mul") if shifted and shifted.args["other"] == 0.5 else None
    factor = _factor(scaled) if scaled else None
    if shifted is None or scaled is None or factor is None or factor[1] <= 0:
        return None
    return ComputedActivation(factor[0], Activation("hardsigmoid", factor[1]), frozenset({shifted.name, scaled.name}))


def _silu(made: Mapping[str, AtenNode], node: AtenNode) -> ComputedActivation | None:
    """Find x · sigmoid(x)."""
    if node.base != "mul":
        return None
    for one, other in (("self", "other"), ("other", "self")):
        sigmoid = _by(made, node.args[one], "sigmoid")
        if sigmoid is not None and sigmoid.args["self"] == node.args[other]:
            return ComputedActivation(node.args[other], Activation("silu"), frozenset({sigmoid.name}))
    return None
