"""Layers that exporters write as several ONNX operators."""

from typing import Any

from caedsl.importing.onnx.graph import OnnxGraph, OnnxNode
from caedsl.importing.operators.graph import AtenNode, Ref


def is_gelu(graph: OnnxGraph, node: OnnxNode) -> bool:
    """Recognise x · (1 + erf(x / √2)) / 2 in the two orders that exporters write, and add it as one operator."""
    made = {name: each for each in graph.nodes for name in each.outputs}
    pair = [graph.refs.get(each, graph.constants.get(each)) for each in node.inputs]
    for one, other in (pair, pair[::-1]):
        product = _by(made, one, "mul")
        if product is None:
            continue
        factors = [product.args["self"], product.args["other"]]
        x: Any = None
        if not isinstance(other, Ref):  # (x · (1 + erf)) · 0.5
            half = other is not None and other.size == 1 and other.item() == 0.5
            x = next((a for a, b in (factors, factors[::-1]) if half and a == _under_erf(made, b)), None)
        elif factors[1] == 0.5 and _under_erf(made, other) == factors[0]:  # (x · 0.5) · (1 + erf)
            x = factors[0]
        if x is not None:
            graph.emit(node, "gelu.default", {"self": x, "approximate": "none"})
            return True
    return False


def _by(made: dict[str, AtenNode], ref: Any, base: str) -> AtenNode | None:
    node = made.get(ref.name) if isinstance(ref, Ref) else None
    return node if node is not None and node.base == base else None


def _under_erf(made: dict[str, AtenNode], ref: Any) -> Any:
    """Return x if ``ref`` is 1 + erf(x / √2), else None."""
    shifted = _by(made, ref, "add")
    erf = _by(made, shifted.args["self"], "Erf") if shifted is not None and shifted.args["other"] == 1 else None
    scaled = made.get(erf.args["in0"].name) if erf is not None else None
    if scaled is None or scaled.base not in ("div", "mul") or isinstance(scaled.args["other"], Ref):
        return None
    factor = scaled.args["other"] if scaled.base == "mul" else 1 / scaled.args["other"]
    return scaled.args["self"] if abs(factor - 0.5**0.5) < 1e-4 else None


def follows_groups(graph: OnnxGraph) -> bool:
    """Return whether the last operators normalise groups of channels: a scale and a shift of the channels follow."""
    return [node.base for node in graph.nodes[-3:]] == ["reshape", "instance_norm", "reshape"]


def is_group_norm(graph: OnnxGraph, node: OnnxNode) -> bool:
    """Recognise an instance normalisation of reshaped groups, a scale and a shift, and add it as one operator."""
    if len(graph.nodes) < 4:
        return False
    split, norm, back, scale = graph.nodes[-4:]
    bases = [split.base, norm.base, back.base, scale.base]
    if bases != ["reshape", "instance_norm", "reshape", "mul"] or graph.refs.get(node.inputs[0]) != Ref(scale.name):
        return False
    bias, weight = graph.constants.get(node.inputs[1]), scale.args["other"]
    source = split.args["self"]
    channels = graph.shapes[source.name][1]
    if bias is None or not isinstance(weight, Ref) or weight.name not in graph.tensors or bias.size != channels:
        return False
    del graph.nodes[-4:]
    graph.tensors[weight.name] = graph.tensors[weight.name].reshape(-1)
    args = {
        "input": source,
        "num_groups": graph.shapes[split.name][1],
        "weight": weight,
        "bias": graph.weight(node.inputs[1], bias.reshape(-1)),
        "eps": norm.args["eps"],
    }
    graph.emit(node, "group_norm.default", args)
    return True
