"""ONNX models as networks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from caedsl.importing.network import Array, Network
from caedsl.importing.onnx.file import OnnxFile, read_onnx
from caedsl.importing.onnx.graph import FIRST, LAST, OnnxGraph, OnnxNode
from caedsl.importing.onnx.operators import convert
from caedsl.importing.onnx.shaping import moves_one_channel
from caedsl.importing.operators.aten import network_of
from caedsl.importing.operators.graph import AtenGraph, Ref
from caedsl.model.data import InputRange
from caedsl.vocabulary.shape import Shape


def onnx_network(content: bytes, path: Path, sample: Shape | None, values: InputRange) -> Network:
    """Return the network of an ONNX file; raise ``ImportFailure`` if a spec cannot express it.

    ``sample`` is the shape of a sample, for a file that accepts several sizes.
    """
    file = read_onnx(content, path, sample)
    graph = OnnxGraph(file)
    last = _channels_last(file)
    graph.layouts[file.input] = LAST if last else FIRST
    graph.refs[file.input] = Ref(file.input)
    graph.shapes[file.input] = graph.shape(file.input)
    for place, proto in enumerate(file.nodes):
        convert(graph, OnnxNode(proto, place), last)
    outputs = [graph.refs[name].name for name in file.outputs if name in graph.refs]
    whole = AtenGraph(
        path.stem,
        tuple(graph.nodes),
        graph.shapes,
        (file.input,),
        tuple(outputs),
        graph.tensors,
        graph.parameters,
        file.note,
    )
    chosen = {graph.refs[name].name: name for name in reversed(file.outputs) if name in graph.refs}

    def run(samples: Array, output: str) -> Array:
        name = chosen[output]
        given = np.moveaxis(samples, 1, -1) if graph.last(file.input) else samples
        made = file.run(np.ascontiguousarray(given), name)
        return np.moveaxis(made, -1, 1) if graph.last(name) else made

    network = network_of(whole, path.name, values, run)
    return replace(network, notes=(*network.notes, *graph.notes))


def _channels_last(file: OnnxFile) -> bool:
    """Return whether samples have their channels last: a transpose moves them first before any weight is applied."""
    names = {file.input}
    for node in file.nodes:
        if not names & set(node.input):
            continue
        if node.op_type == "Transpose":
            perm = next((list(each.ints) for each in node.attribute if each.name == "perm"), [])
            return perm == [0, len(perm) - 1, *range(1, len(perm) - 1)]
        if node.op_type == "Reshape" and node.output[0] in file.shapes:
            return moves_one_channel(file.shapes[node.input[0]], file.shapes[node.output[0]])
        if node.op_type not in _PASSING:
            return False
        names |= set(node.output)
    return False


_PASSING: Sequence[str] = ("Identity", "Cast", "Pad", "Dropout", "Mul", "Add", "Sub", "Div", "Clip", "Relu")
