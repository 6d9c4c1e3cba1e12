"""ONNX operators with weights or windows: convolutions, products, normalisations and pools."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from caedsl.importing.network import Array
from caedsl.importing.onnx.graph import OnnxGraph, OnnxNode, as_written
from caedsl.importing.operators.graph import AtenNode, Ref
from caedsl.vocabulary.shape import Shape

Sides = list[tuple[int, int]]


def _window(node: OnnxNode, rank: int) -> tuple[list[int], list[int]]:
    return list(node.get("strides", [1] * rank)), list(node.get("dilations", [1] * rank))


def _sides(node: OnnxNode, sizes: Sequence[int], kernel: Sequence[int]) -> Sides:
    """Return the padding before and after, for each spatial axis."""
    rank = len(kernel)
    strides, dilations = _window(node, rank)
    automatic = node.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-size // stride) - 1) * stride + step * (width - 1) + 1 - size, 0)
            for size, stride, step, width in zip(sizes, strides, dilations, kernel, strict=True)
        ]
        return [_halves(total, automatic == "SAME_UPPER") for total in totals]
    pads = list(node.get("pads", [0] * 2 * rank))
    return list(zip(pads[:rank], pads[rank:], strict=True))


def _halves(total: int, upper: bool) -> tuple[int, int]:
    return (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)


def padded(graph: OnnxGraph, node: OnnxNode, source: Ref, sides: Sides, suffix: str) -> Ref:
    """Add a padding (or, with negative numbers, a crop) after ``source``."""
    shape = graph.shapes[source.name]
    sizes = [size + before + after for size, (before, after) in zip(shape[2:], sides, strict=True)]
    flat = [side for pair in reversed(sides) for side in pair]
    args = {"self": source, "pad": flat, "mode": "constant", "value": None}
    return graph.emit(node, "pad.default", args, (*shape[:2], *sizes), suffix)


def _conv(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    weight, bias = graph.constant(node, 1), graph.constant(node, 2)
    source = graph.ref(node.inputs[0])
    if weight is None:
        graph.emit(node, "convolution with computed weights", {"in0": source})
        return
    rank = weight.ndim - 2
    strides, dilations = _window(node, rank)
    sides = _sides(node, graph.shapes[source.name][2:], weight.shape[2:])
    padding: list[int] = [before for before, _ in sides]
    if any(before != after for before, after in sides):
        source, padding = padded(graph, node, source, sides, "_pad"), [0] * rank
    graph.emit(
        node,
        f"conv{rank}d.default",
        {
            "input": source,
            "weight": graph.weight(node.inputs[1], weight),
            "bias": graph.weight(node.inputs[2] if bias is not None else "", bias),
            "stride": strides,
            "padding": padding,
            "dilation": dilations,
            "groups": node.get("group", 1),
        },
    )


def _deconv(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    weight, bias = graph.constant(node, 1), graph.constant(node, 2)
    source = graph.ref(node.inputs[0])
    if weight is None:
        graph.emit(node, "convolution with computed weights", {"in0": source})
        return
    rank = weight.ndim - 2
    strides, dilations = _window(node, rank)
    extents = [step * (size - 1) + 1 for step, size in zip(dilations, weight.shape[2:], strict=True)]
    sizes = graph.shapes[source.name][2:]
    rest = list(node.get("output_padding", [0] * rank))
    full = [stride * (size - 1) + extent for stride, size, extent in zip(strides, sizes, extents, strict=True)]
    sides = _deconv_sides(graph, node, full, rest)
    # Zeros that PyTorch adds at the end compensate for less padding there; anything beyond is cropped.
    ends = [more + before - after for more, (before, after) in zip(rest, sides, strict=True)]
    padding, cuts = [before for before, _ in sides], [(0, min(end, 0)) for end in ends]
    made = [size - 2 * before + max(end, 0) for size, before, end in zip(full, padding, ends, strict=True)]
    shape = (graph.shapes[source.name][0], weight.shape[1] * node.get("group", 1), *made)
    spread = graph.emit(
        node,
        f"conv_transpose{rank}d.input",
        {
            "input": source,
            "weight": graph.weight(node.inputs[1], weight),
            "bias": graph.weight(node.inputs[2] if bias is not None else "", bias),
            "stride": strides,
            "padding": padding,
            "output_padding": [max(end, 0) for end in ends],
            "groups": node.get("group", 1),
            "dilation": dilations,
        },
        shape,
    )
    if any(cut for _, cut in cuts):
        padded(graph, node, spread, cuts, "_cut")


def _deconv_sides(graph: OnnxGraph, node: OnnxNode, full: Sequence[int], rest: Sequence[int]) -> Sides:
    automatic, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape", None)
    if wanted is None and automatic in ("SAME_UPPER", "SAME_LOWER"):
        wanted = graph.shape(node.outputs[0])[2:]
    if wanted is not None:
        sizes = list(wanted)[-len(full) :]
        totals = [size + more - out for size, more, out in zip(full, rest, sizes, strict=True)]
        return [_halves(total, automatic == "SAME_UPPER") for total in totals]
    pads = list(node.get("pads", [0] * 2 * len(full)))
    return list(zip(pads[: len(full)], pads[len(full) :], strict=True))


def _product(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    """Convert ``Gemm`` and ``MatMul`` whose second factor is a matrix of weights."""
    weight = graph.constant(node, 1)
    source = graph.refs.get(node.inputs[0])
    plain = node.get("alpha", 1.0) == 1 and node.get("beta", 1.0) == 1 and not node.get("transA", 0)
    if weight is None or weight.ndim != 2 or source is None or not plain:
        read = {f"in{place}": graph.refs[name] for place, name in enumerate(node.inputs) if name in graph.refs}
        graph.emit(node, "matmul", read)
        return
    rows: Array = weight if node.get("transB", 0) else weight.T
    if graph.last(node.inputs[0]):  # a product over the channels at every position
        kernel = rows.reshape(*rows.shape, *[1] * (len(graph.file.shapes[node.inputs[0]]) - 2))
        _pointwise(graph, node, source, kernel)
        return
    flat = graph.flat.pop(node.outputs[0], None)
    if flat is not None and prod(flat) == rows.shape[1]:
        rows = np.moveaxis(rows.reshape(len(rows), *flat), -1, 1).reshape(len(rows), -1)
    bias = graph.constant(node, 2)
    args: dict[str, Any] = {
        "input": source,
        "weight": graph.weight(node.inputs[1], rows),
        "bias": graph.weight(node.inputs[2], np.broadcast_to(bias, len(rows))) if bias is not None else None,
    }
    graph.emit(node, "linear.default", args)


def _pointwise(graph: OnnxGraph, node: OnnxNode, source: Ref, kernel: Array) -> None:
    rank = kernel.ndim - 2
    weight = graph.weight(node.inputs[1], kernel)
    args: dict[str, Any] = {"input": source, "weight": weight, "bias": None, "groups": 1}
    windows = {"stride": [1] * rank, "padding": [0] * rank, "dilation": [1] * rank}
    graph.emit(node, f"conv{rank}d.default", {**args, **windows})


def _batch_norm(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    values = [graph.constant(node, place) for place in range(1, 5)]
    roles = ("weight", "bias", "running_mean", "running_var")
    named = zip(roles, node.inputs[1:], values, strict=True)
    args: dict[str, Any] = {role: graph.weight(name, value) for role, name, value in named}
    args |= {
        "eps": as_written(node.get("epsilon", 1e-5)),
        "momentum": as_written(1 - as_written(node.get("momentum", 0.9))),
    }
    graph.emit(node, "batch_norm.default", {"input": graph.ref(node.inputs[0]), **args})


def _norm(base: str) -> Callable[[OnnxGraph, OnnxNode, bool], None]:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        weight, bias = graph.constant(node, 1), graph.constant(node, 2)
        args: dict[str, Any] = {
            "input": graph.ref(node.inputs[0]),
            "weight": graph.weight(node.inputs[1], weight),
            "bias": graph.weight(node.inputs[2] if bias is not None else "", bias),
            "eps": as_written(node.get("epsilon", 1e-5)),
            "running_mean": None,
            "num_groups": node.get("num_groups", 1),
        }
        shape = graph.shape(node.inputs[0])
        args["normalized_shape"] = list(shape[node.get("axis", -1) % len(shape) :])
        graph.emit(node, base, args)

    return convert


def _pool(base: str) -> Callable[[OnnxGraph, OnnxNode, bool], None]:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        source, kernel = graph.ref(node.inputs[0]), list(node.get("kernel_shape", []))
        rank = len(kernel)
        sides = _sides(node, graph.shapes[source.name][2:], kernel)
        ceil, counted = bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0))
        stride, dilation = _window(node, rank)
        if base.startswith("max") and not ceil and _rounds_up(graph, node, sides, kernel):
            ceil, sides = True, [(before, before) for before, _ in sides]
        if any(before != after for before, after in sides):
            counts = base.startswith("max") or not counted
            if counts:  # zeros would count in both
                graph.emit(node, f"{node.kind} with uneven padding", {"in0": source})
                return
            source, sides = padded(graph, node, source, sides, "_pad"), [(0, 0)] * rank
        args = {
            "self": source,
            "kernel_size": kernel,
            "stride": stride,
            "padding": [before for before, _ in sides],
            "dilation": dilation,
            "ceil_mode": ceil,
            "count_include_pad": counted or not any(map(any, sides)),
        }
        graph.emit(node, f"{base}{rank}d.default", args)

    return convert


def _rounds_up(graph: OnnxGraph, node: OnnxNode, sides: Sides, kernel: Sequence[int]) -> bool:
    """Return whether more padding after than before the map only completes its last windows."""
    strides, dilations = _window(node, len(kernel))
    sizes, made = graph.shape(node.inputs[0])[2:], graph.shape(node.outputs[0])[2:]
    up = [
        -(-(size + 2 * before - step * (width - 1) - 1) // stride) + 1
        for size, (before, _), step, width, stride in zip(sizes, sides, dilations, kernel, strides, strict=True)
    ]
    inside = [
        (out - 1) * stride < size + before
        for out, stride, size, (before, _) in zip(up, strides, sizes, sides, strict=True)
    ]
    return any(before < after for before, after in sides) and up == list(made) and all(inside)


def _global(base: str) -> Callable[[OnnxGraph, OnnxNode, bool], None]:
    def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
        rank = len(graph.shape(node.inputs[0])) - 2
        graph.emit(node, f"{base}{rank}d.default", {"self": graph.ref(node.inputs[0])})

    return convert


def reorder(graph: OnnxGraph, ref: Ref, shape: Shape) -> None:
    """Reorder the numbers of a vector made from a map with channels last, in the weights that compute it."""
    made = {name: each for each in graph.nodes for name in each.outputs}
    node: AtenNode | None = made.get(ref.name)
    while node is not None and node.base not in ("linear",):
        if node.base == "batch_norm":
            for role in ("weight", "bias", "running_mean", "running_var"):
                _reorder_rows(graph, node.args[role], shape)
        node = made.get(next(iter(node.refs), ""))
    if node is not None:
        for role in ("weight", "bias"):
            _reorder_rows(graph, node.args[role], shape)


def _reorder_rows(graph: OnnxGraph, ref: Ref | None, shape: Shape) -> None:
    if ref is not None and len(graph.tensors[ref.name]) == prod(shape):
        tensor = graph.tensors[ref.name]
        moved = tensor.reshape(*shape, *tensor.shape[1:]).movedim(len(shape) - 1, 0)
        graph.tensors[ref.name] = moved.reshape(tensor.shape).contiguous()


WEIGHTED: dict[str, Callable[[OnnxGraph, OnnxNode, bool], None]] = {
    "Conv": _conv,
    "ConvTranspose": _deconv,
    "Gemm": _product,
    "MatMul": _product,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _norm("instance_norm.default"),
    "GroupNormalization": _norm("group_norm.default"),
    "LayerNormalization": _norm("layer_norm.default"),
    "MaxPool": _pool("max_pool"),
    "AveragePool": _pool("avg_pool"),
    "GlobalAveragePool": _global("adaptive_avg_pool"),
    "GlobalMaxPool": _global("adaptive_max_pool"),
}
