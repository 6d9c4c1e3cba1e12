"""ONNX operators as PyTorch's, with weights in PyTorch's layout."""

from collections.abc import Callable

from caedsl.importing.onnx.graph import FIRST, OnnxGraph, OnnxNode
from caedsl.importing.onnx.moves import extend_chain
from caedsl.importing.onnx.pointwise import POINTWISE
from caedsl.importing.onnx.shaping import SHAPING
from caedsl.importing.onnx.weighted import WEIGHTED

Converter = Callable[[OnnxGraph, OnnxNode, bool], None]
_OPERATORS: dict[str, Converter] = {**WEIGHTED, **POINTWISE, **SHAPING}
_CONSTANT = ("Constant", "ConstantOfShape", "Shape", "Range", "Size")


def convert(graph: OnnxGraph, node: OnnxNode, last: bool) -> None:
    """Add the equivalent of a node to the graph; one without an equivalent keeps its name and is rejected later."""
    inputs = [name for name in node.inputs if name]
    if node.outputs[0] in graph.file.random:
        graph.emit(node, "randn", {})
        return
    if node.kind in _CONSTANT or (inputs and all(name in graph.constants for name in inputs)):
        graph.constants.update({name: graph.file.value(name) for name in node.outputs})
        return
    source = next((name for name in inputs if name in graph.refs), "")
    for output in node.outputs:
        graph.layouts[output] = graph.layouts.get(source, FIRST)
        if source in graph.flat and len(graph.file.shapes[output]) == 2:
            graph.flat[output] = graph.flat[source]
    if extend_chain(graph, node):
        return
    converter = _OPERATORS.get(node.kind)
    if converter is not None:
        converter(graph, node, last)
        return
    args = {f"in{place}": graph.refs[name] for place, name in enumerate(inputs) if name in graph.refs}
    graph.emit(node, node.kind, args)
