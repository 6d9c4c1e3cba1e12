"""ONNX operators that change each number: activations, sums, products, joins."""

from collections.abc import Callable
from typing import Any

import numpy as np

from caedsl.importing.network import Array
from caedsl.importing.onnx.graph import OnnxGraph, OnnxNode, as_written
from caedsl.importing.onnx.written_out import follows_groups, is_gelu, is_group_norm
from caedsl.importing.operators.graph import AtenNode, Ref

Convert = Callable[[OnnxGraph, OnnxNode, bool], None]


def _unary(base: str) -> Convert:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        graph.emit(node, f"{base}.default", {"self": graph.ref(node.inputs[0])})

    return convert


def _numbered(base: str, attribute: str, default: float, argument: str, **others: Any) -> Convert:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        value = as_written(node.get(attribute, default))
        graph.emit(node, f"{base}.default", {"self": graph.ref(node.inputs[0]), argument: value, **others})

    return convert


def _hardsigmoid(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    slope, shift = node.get("alpha", 0.2), as_written(node.get("beta", 0.5))
    source = graph.ref(node.inputs[0])
    if abs(slope - 1 / 6) < 1e-6 and shift == 0.5:
        graph.emit(node, "hardsigmoid.default", {"self": source})
        return
    scaled = graph.emit(node, "mul.Tensor", {"self": source, "other": as_written(slope)}, suffix="_scaled")
    shifted = graph.emit(node, "add.Tensor", {"self": scaled, "other": shift, "alpha": 1}, suffix="_shifted")
    graph.emit(node, "clamp.default", {"self": shifted, "min": 0, "max": 1})


def _clip(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    ends = [graph.constant(node, place, node.get(name, None)) for place, name in ((1, "min"), (2, "max"))]
    low, high = (None if end is None else as_written(np.asarray(end).item()) for end in ends)
    graph.emit(node, "clamp.default", {"self": graph.ref(node.inputs[0]), "min": low, "max": high})


def _prelu(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    slope, rank = graph.constant(node, 1), len(graph.shape(node.inputs[0]))
    if slope is not None:
        slope = slope.reshape((1,) * (rank - slope.ndim) + slope.shape)
        if slope.size in (1, slope.shape[-1 if graph.last(node.inputs[0]) else 1]):
            slope = slope.reshape(-1)
    weight = graph.weight(node.inputs[1], slope)
    graph.emit(node, "prelu.default", {"self": graph.ref(node.inputs[0]), "weight": weight})


def _gelu(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    args = {"self": graph.ref(node.inputs[0]), "approximate": node.get("approximate", "none")}
    graph.emit(node, "gelu.default", args)


def _dropout(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    rate = graph.constant(node, 1, node.get("ratio", 0.5))
    args = {"input": graph.ref(node.inputs[0]), "p": as_written(np.asarray(rate).item())}
    graph.emit(node, "dropout.default", args)


def _binary(base: str) -> Convert:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        one, other = node.inputs
        if base == "add" and is_group_norm(graph, node):
            return
        if base == "add" and (_is_bias(graph, node, one, other) or _shifts(graph, node, one, other)):
            return
        if base == "mul" and is_gelu(graph, node):
            return
        if base == "mul" and _scales(graph, node, one, other):
            return
        args = {"self": graph.ref(one), "other": graph.ref(other), "alpha": 1}
        graph.emit(node, f"{base}.Tensor", args)

    return convert


def _is_bias(graph: OnnxGraph, node: OnnxNode, one: str, other: str) -> bool:
    """Make the constant of a sum the bias of the layer before; return whether that was possible."""
    name, source = (other, one) if other in graph.constants else (one, other)
    ref = graph.refs.get(source)
    if name not in graph.constants or ref is None or not graph.nodes or ref.name != graph.nodes[-1].name:
        return False
    place = -2 if _crops(graph.nodes[-1]) else -1
    before = graph.nodes[place]
    channels = graph.shape(node.outputs[0])[1]
    value = graph.constants[name]
    weighted = before.base in ("linear", *(f"conv{rank}d" for rank in (1, 2, 3))) or before.base.startswith("conv_tr")
    if not weighted or before.args["bias"] is not None or value.size not in (1, channels):
        return False
    bias = np.broadcast_to(value.reshape(-1), channels)
    args = {**before.args, "bias": graph.weight(name, bias)}
    graph.nodes[place] = AtenNode(before.op, args, before.outputs, before.scopes, before.operator)
    graph.keep(node, source)
    return True


def _crops(node: AtenNode) -> bool:
    """Return whether a node cuts off what a transposed convolution before it computes too much."""
    return node.name.endswith("_cut")


def _scales(graph: OnnxGraph, node: OnnxNode, one: str, other: str) -> bool:
    """Convert a factor for each channel; return whether the product is one."""
    name, source = (other, one) if other in graph.constants else (one, other)
    scale = _of_channels(graph, node, name)
    if scale is None or source not in graph.refs or follows_groups(graph):
        return False
    shape = (len(scale), *(1,) * (len(graph.shape(node.outputs[0])) - 2))
    graph.emit(node, "mul.Tensor", {"self": graph.ref(source), "other": graph.weight(name, scale.reshape(shape))})
    return True


_EPS = 1e-5
_FOLDED = (
    "the file holds batch normalisation as a factor and a sum for each channel: `norm=batch` has these as its weights, "
    "and its running statistics are 0 and 1"
)


def _shifts(graph: OnnxGraph, node: OnnxNode, one: str, other: str) -> bool:
    """Convert a factor for each channel and this sum to a batch normalisation; return whether they are one."""
    name, source = (other, one) if other in graph.constants else (one, other)
    ref, shift = graph.refs.get(source), _of_channels(graph, node, name)
    if shift is None or ref is None or not graph.nodes or graph.nodes[-1].name != ref.name:
        return False
    factor = graph.nodes[-1].args.get("other") if graph.nodes[-1].base == "mul" else None
    if not isinstance(factor, Ref) or factor.name not in graph.tensors:
        return False
    before = graph.nodes.pop()
    scale = graph.tensors[factor.name].reshape(-1).numpy()
    zeros, ones = np.zeros_like(scale), np.ones_like(scale)
    values = {"bias": shift, "running_mean": zeros, "running_var": ones - np.float32(_EPS)}
    args = {role: graph.weight(name, value) for role, value in values.items()}
    args["weight"] = graph.weight(graph.parameters[factor.name], scale)
    graph.emit(node, "batch_norm.default", {"input": before.args["self"], **args, "eps": _EPS, "momentum": 0.1})
    graph.notes[_FOLDED] = None
    return True


def _of_channels(graph: OnnxGraph, node: OnnxNode, name: str) -> Array | None:
    """Return a constant as one number for each channel; None if it is not that."""
    value, shape = graph.constants.get(name), graph.shape(node.outputs[0])
    if value is None or not value.size or value.size != shape[1] or value.ndim < 1 or len(shape) < 2:
        return None
    axes = [1] * len(shape)
    axes[-1 if graph.last(node.outputs[0]) else 1] = shape[1]
    given = [1] * (len(shape) - value.ndim) + list(value.shape)
    return value.reshape(-1).astype(np.float32) if given == axes else None


def _concat(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    axis, rank = node.get("axis", 1), len(graph.file.shapes[node.outputs[0]])
    axis %= rank
    if graph.last(node.outputs[0]):
        axis = 1 if axis == rank - 1 else axis + 1
    graph.emit(node, "cat.default", {"tensors": [graph.ref(name) for name in node.inputs], "dim": axis})


def _keep(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    graph.keep(node, node.inputs[0])


POINTWISE: dict[str, Convert] = {
    **{
        kind: _unary(base)
        for kind, base in (
            ("Relu", "relu"),
            ("Sigmoid", "sigmoid"),
            ("Tanh", "tanh"),
            ("Neg", "neg"),
            ("HardSwish", "hardswish"),
            ("Mish", "mish"),
            ("Exp", "exp"),
            ("Sqrt", "sqrt"),
            ("Softsign", "softsign"),
            ("Softmax", "softmax"),
            ("LogSoftmax", "softmax"),
        )
    },
    "Softplus": _numbered("softplus", "beta", 1, "beta", threshold=20),
    "LeakyRelu": _numbered("leaky_relu", "alpha", 0.01, "negative_slope"),
    "Elu": _numbered("elu", "alpha", 1.0, "alpha", scale=1, input_scale=1),
    "Celu": _unary("celu"),
    "Selu": _unary("selu"),
    "HardSigmoid": _hardsigmoid,
    "Clip": _clip,
    "PRelu": _prelu,
    "Gelu": _gelu,
    "Swish": _unary("silu"),
    "Dropout": _dropout,
    "Add": _binary("add"),
    "Sum": _binary("add"),
    "Mul": _binary("mul"),
    "Div": _binary("div"),
    "Sub": _binary("sub"),
    "Concat": _concat,
    "Identity": _keep,
    "Cast": _keep,
}
