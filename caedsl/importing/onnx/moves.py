"""Chains of ONNX operators that only move numbers, recognised by where each number comes from.

TensorFlow's exporters write ``UpSampling2D`` as tiles between reshapes and transposes. What a chain of them does is
found by applying it to the positions of its first input.
"""

import numpy as np

from caedsl.importing.network import Array
from caedsl.importing.onnx.graph import FIRST, LAST, Chain, OnnxGraph, OnnxNode

_MOVES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Tile")
_MOST_NUMBERS = 1 << 26
"""Largest number of positions to follow."""


def extend_chain(graph: OnnxGraph, node: OnnxNode) -> bool:
    """Continue the chain before ``node``; return whether its whole is an upsampling, which is then added."""
    if node.kind not in _MOVES or (node.kind == "Tile" and graph.constant(node, 1) is None):
        return False
    before = graph.chains.get(node.inputs[0], Chain(node.inputs[0], ()))
    chain = Chain(before.root, (*before.nodes, node))
    graph.chains[node.outputs[0]] = chain
    if node.kind == "Tile" or all(each.kind != "Tile" for each in chain.nodes):
        return False
    return _is_upsampling(graph, node, chain)


def _is_upsampling(graph: OnnxGraph, node: OnnxNode, chain: Chain) -> bool:
    shape, made = graph.shape(chain.root), graph.file.shapes[node.outputs[0]]
    if len(made) != len(shape) or len(shape) < 3 or max(np.prod(shape), np.prod(made)) > _MOST_NUMBERS:
        return False
    places = np.arange(np.prod(shape)).reshape(graph.file.shapes[chain.root])
    moved = _moved(graph, places, chain)
    if graph.last(chain.root):
        places = np.moveaxis(places, -1, 1)
    for layout, first in ((FIRST, moved), (LAST, np.moveaxis(moved, -1, 1))):
        factors = [after // before for after, before in zip(first.shape, places.shape, strict=True)]
        repeated = places
        for axis, factor in enumerate(factors):
            repeated = repeated.repeat(factor, axis)
        if factors[:2] == [1, 1] and np.array_equal(repeated, first):
            graph.layouts[node.outputs[0]] = layout
            args = {"input": graph.ref(chain.root), "align_corners": False}
            graph.emit(node, f"upsample_nearest{len(shape) - 2}d.vec", args)
            return True
    return False


def _moved(graph: OnnxGraph, places: Array, chain: Chain) -> Array:
    for node in chain.nodes:
        if node.kind == "Transpose":
            places = places.transpose(node.get("perm", None))
        elif node.kind == "Tile":
            places = np.tile(places, graph.constant(node, 1))
        else:
            places = places.reshape(graph.file.shapes[node.outputs[0]])
    return places
