"""ONNX graphs as graphs of PyTorch's operators, so that one translation serves both; maps have channels first."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from onnx import NodeProto, helper
from torch import Tensor

from caedsl.importing.network import Array
from caedsl.importing.onnx.file import OnnxFile
from caedsl.importing.operators.graph import AtenNode, Ref
from caedsl.vocabulary.shape import Shape

FIRST, LAST = "first", "last"
_MODULE = "torch.nn.modules.onnx"
"""Class of the scope that gives a node its author's name."""


class OnnxNode:
    """Node with its attributes; missing inputs are empty names."""

    def __init__(self, proto: NodeProto, place: int) -> None:
        self.kind = proto.op_type
        self.inputs = list(proto.input)
        self.outputs = [each for each in proto.output if each]
        self.attributes: Mapping[str, Any] = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
        self.name = proto.name or f"{proto.op_type}_{place}"

    def get(self, name: str, default: Any) -> Any:
        """Return an attribute, with texts decoded."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class Chain(NamedTuple):
    """Operators between the tensor ``root`` and an output that is a rearrangement of its numbers."""

    root: str
    nodes: tuple[OnnxNode, ...]


class OnnxGraph:
    """Graph under construction, with the layout of each tensor: channels first, last, or a vector from a map."""

    def __init__(self, file: OnnxFile) -> None:
        self.file = file
        self.constants = dict(file.constants)
        self.layouts: dict[str, str] = {}
        self.flat: dict[str, Shape] = {}
        """For a vector made from a map with channels last, that map's shape in channels-last order."""
        self.refs: dict[str, Ref] = {}
        self.nodes: list[AtenNode] = []
        self.shapes: dict[str, Shape] = {}
        self.tensors: dict[str, Tensor] = {}
        self.parameters: dict[str, str] = {}
        self.chains: dict[str, Chain] = {}
        """For an output that only moves the numbers of another one, how."""
        self.notes: dict[str, None] = {}

    def shape(self, name: str) -> Shape:
        """Return the shape of a tensor, including the batch, with channels first."""
        shape = self.file.shapes[name]
        return (shape[0], shape[-1], *shape[1:-1]) if self.last(name) else shape

    def last(self, name: str) -> bool:
        """Return whether a map has its channels last."""
        return self.layouts.get(name) == LAST and len(self.file.shapes[name]) > 2

    def constant(self, node: OnnxNode, place: int, default: Any = None) -> Any:
        """Return the value of an input that does not depend on the samples."""
        if place >= len(node.inputs) or not node.inputs[place]:
            return default
        return self.constants.get(node.inputs[place], default)

    def ref(self, name: str) -> Any:
        """Return the reference to a tensor, or a number if it is one."""
        if name in self.constants:
            value = self.constants[name]
            return value.item() if value.size == 1 else self.weight(name, value)
        return self.refs[name]

    def weight(self, name: str, array: Array | None) -> Ref | None:
        """Return the reference to a weight; ``array`` is what the translated operator reads of it."""
        if array is None:
            return None
        key = f"{name}\0{len(self.tensors)}"
        self.tensors[key], self.parameters[key] = torch.from_numpy(np.array(array)), name
        return Ref(key)

    def emit(
        self, node: OnnxNode, base: str, args: Mapping[str, Any], shape: Shape | None = None, suffix: str = ""
    ) -> Ref:
        """Add an operator whose output represents the first output of ``node``."""
        output = f":{node.outputs[0]}{suffix}"
        self.shapes[output] = shape if shape is not None else self.shape(node.outputs[0])
        scopes = ((_named(node, self), _MODULE),)
        self.nodes.append(AtenNode(base, args, (output,), scopes, base))
        self.refs[node.outputs[0]] = Ref(output)
        return Ref(output)

    def keep(self, node: OnnxNode, source: str) -> None:
        """Let the output of ``node`` be what ``source`` is."""
        self.refs[node.outputs[0]] = self.refs[source]


def _named(node: OnnxNode, graph: OnnxGraph) -> str:
    """Return the author's name of a node: that of its weight, or the last step of its own without the operator."""
    for name in node.inputs[1:]:
        if name in graph.file.constants and name.endswith((".weight", ".bias")):
            return str(name).rpartition(".")[0]
    steps = [step for step in node.name.split("/") if step]
    if len(steps) > 1 and (steps[-1].partition("_")[0] == node.kind or "/" in node.name):
        return steps[-2]
    return node.name


def as_written(value: float) -> float:
    """Return a 32-bit number as its author wrote it, in at most six digits."""
    return float(f"{value:.6g}")
