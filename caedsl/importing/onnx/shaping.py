"""ONNX operators that change shapes: reshapes, transposes, resizes, margins, splits."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from caedsl.importing.onnx.graph import FIRST, LAST, OnnxGraph, OnnxNode
from caedsl.importing.onnx.weighted import padded, reorder
from caedsl.vocabulary.shape import Shape

Convert = Callable[[OnnxGraph, OnnxNode, bool], None]


def _reshape(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    source, output = node.inputs[0], node.outputs[0]
    before, after = graph.file.shapes[source], graph.file.shapes[output]
    if moves_one_channel(before, after) and graph.last(source):
        graph.layouts[output] = FIRST
        graph.keep(node, source)
        return
    if moves_one_channel(after, before) and not graph.last(source):
        graph.layouts[output] = LAST
        graph.keep(node, source)
        return
    graph.layouts[output] = LAST if len(after) > 2 and last else FIRST
    if graph.last(source) and len(after) == 2 and prod(before[1:-1]) > 1:
        graph.flat[output] = tuple(before[1:])
    elif graph.last(output) and len(before) == 2 and prod(after[1:-1]) > 1:
        if graph.flat.get(source) != tuple(after[1:]):
            reorder(graph, graph.refs[source], tuple(after[1:]))
    elif graph.last(output) and not graph.last(source) and len(before) == len(after) and before != after:
        graph.layouts[output] = FIRST
    graph.emit(node, "reshape.default", {"self": graph.ref(source)})


def moves_one_channel(last: Shape, first: Shape) -> bool:
    """Return whether a reshape between these shapes is a transpose of maps that have one channel."""
    return len(last) > 2 and last[-1] == 1 and first == (last[0], 1, *last[1:-1]) and first != last


def _transpose(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    source, output = node.inputs[0], node.outputs[0]
    rank = len(graph.file.shapes[source])
    perm = list(node.get("perm", reversed(range(rank))))
    to_first = [0, rank - 1, *range(1, rank - 1)]
    to_last = [0, *range(2, rank), 1]
    if perm == list(range(rank)):
        graph.keep(node, source)
    elif graph.last(source) and perm == to_first:
        graph.layouts[output] = FIRST
        graph.keep(node, source)
    elif rank > 2 and not graph.last(source) and perm == to_last:
        graph.layouts[output] = LAST
        graph.keep(node, source)
    else:
        graph.layouts[output] = FIRST
        graph.emit(node, "permute.default", {"self": graph.ref(source)})


def _resize(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    rank = len(graph.shape(node.outputs[0])) - 2
    mode, where = node.get("mode", "nearest"), node.get("coordinate_transformation_mode", "half_pixel")
    args: dict[str, Any] = {"input": graph.ref(node.inputs[0]), "align_corners": where == "align_corners"}
    if mode == "nearest":
        graph.emit(node, f"upsample_nearest{rank}d.vec", args)
    elif mode == "linear" and where in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        graph.emit(node, ("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")[rank - 1], args)
    elif mode == "linear":
        graph.emit(node, f"linear resize with {where} coordinates", args)
    else:
        graph.emit(node, "upsample_bicubic2d", args)


def _pad(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    pads = graph.constant(node, 1, node.get("pads", None))
    value = graph.constant(node, 2, node.get("value", 0))
    source, rank = graph.ref(node.inputs[0]), len(graph.file.shapes[node.inputs[0]])
    if pads is None or len(pads) != 2 * rank:
        graph.emit(node, "pad that is computed", {"in0": source})
        return
    pairs = list(zip(map(int, pads[:rank]), map(int, pads[rank:]), strict=True))
    if graph.last(node.inputs[0]):
        pairs = [pairs[0], pairs[-1], *pairs[1:-1]]
    flat = [side for pair in reversed(pairs[1:]) for side in pair]
    mode = node.get("mode", "constant")
    mode = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)
    number = np.asarray(value).item() if np.size(value) else 0
    graph.emit(node, "pad.default", {"self": source, "pad": flat, "mode": mode, "value": number or None})


def _slice(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    """Convert a slice of spatial axes, which is a crop."""
    source = node.inputs[0]
    shape = graph.file.shapes[source]
    starts = graph.constant(node, 1, node.get("starts", None))
    ends = graph.constant(node, 2, node.get("ends", None))
    axes = graph.constant(node, 3, node.get("axes", None))
    steps = graph.constant(node, 4, None)
    ref = graph.ref(source)
    if starts is None or ends is None or (steps is not None and set(np.asarray(steps).tolist()) != {1}):
        graph.emit(node, "slice", {"in0": ref})
        return
    listed = range(len(starts)) if axes is None else [int(axis) % len(shape) for axis in axes]
    cuts = [(0, 0)] * len(shape)
    for axis, start, end in zip(listed, starts, ends, strict=True):
        low, high, _ = slice(int(start), int(end)).indices(shape[axis])
        cuts[axis] = (-low, high - shape[axis])
    if graph.last(source):
        cuts = [cuts[0], cuts[-1], *cuts[1:-1]]
    if any(cuts[0]) or any(cuts[1]) or len(shape) < 3:
        graph.emit(node, "split" if not any(cuts[0]) else "slice", {"self": ref})
        return
    padded(graph, node, ref, cuts[2:], "")


def _mean(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    axes = graph.constant(node, 1, node.get("axes", None))
    rank = len(graph.file.shapes[node.inputs[0]])
    where = sorted(int(axis) % rank for axis in (range(rank) if axes is None else axes))
    if graph.last(node.inputs[0]):
        where = sorted(1 if axis == rank - 1 else axis + 1 if axis else 0 for axis in where)
    args = {"self": graph.ref(node.inputs[0]), "dim": where, "keepdim": bool(node.get("keepdims", 1))}
    graph.emit(node, "mean.dim", args)


def _depth_to_space(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    source = graph.ref(node.inputs[0])
    if node.get("mode", "DCR") != "CRD" and graph.shape(node.outputs[0])[1] > 1:
        graph.emit(node, "depth to space in the order of TensorFlow (DCR)", {"in0": source})
        return
    graph.emit(node, "pixel_shuffle.default", {"self": source, "upscale_factor": node.get("blocksize", 2)})


def _split(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    from caedsl.importing.operators.graph import AtenNode, Ref

    first = graph.emit(node, "split.Tensor", {"self": graph.ref(node.inputs[0])})
    made = graph.nodes.pop()
    outputs = tuple(f":{name}" for name in node.outputs)
    for name, output in zip(node.outputs, outputs, strict=True):
        graph.shapes[output], graph.refs[name] = graph.shape(name), Ref(output)
    graph.nodes.append(AtenNode(made.op, made.args, outputs, made.scopes, made.operator))
    assert first.name == outputs[0]


SHAPING: dict[str, Convert] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshape),
    "Transpose": _transpose,
    "Resize": _resize,
    "Upsample": _resize,
    "Pad": _pad,
    "Slice": _slice,
    "ReduceMean": _mean,
    "DepthToSpace": _depth_to_space,
    "Split": _split,
}
