"""Graph of PyTorch operators, as ``torch.export`` makes it, and its evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from caedsl.importing.network import Array
from caedsl.vocabulary.shape import Shape


class Ref(NamedTuple):
    """Reference to a tensor by its name."""

    name: str


@dataclass(frozen=True, eq=False)
class AtenNode:
    """Call of an operator: ``op`` is its name in ``torch.ops.aten`` with its overload, such as ``conv2d.default``.

    ``args`` are all its arguments by name, ``outputs`` the names of its results. ``scopes`` are the modules that it
    runs in, outermost first, as paths with their classes. ``operator`` is None if it is not one of PyTorch's own.
    """

    op: str
    args: Mapping[str, Any]
    outputs: tuple[str, ...]
    scopes: tuple[tuple[str, str], ...]
    operator: Any

    @property
    def base(self) -> str:
        """Name of the operator without its overload and without the underscore of in-place operators."""
        name = self.op.partition(".")[0]
        return name if name.startswith("_") and name.endswith("__") else name.rstrip("_")

    @property
    def name(self) -> str:
        """Name of its first output."""
        return self.outputs[0] if self.outputs else ""

    @property
    def refs(self) -> tuple[str, ...]:
        """Names of the tensors that it reads."""
        return tuple(_refs(list(self.args.values())))


def _refs(value: Any) -> list[str]:
    if isinstance(value, Ref):
        return [value.name]
    return [name for each in value for name in _refs(each)] if isinstance(value, list) else []


@dataclass(frozen=True, eq=False)
class AtenGraph:
    """Graph with the shapes of its tensors, including the batch.

    ``tensors`` are the weights by the names under which nodes read them, and ``parameters`` their names in the
    ``state_dict``. ``class_name`` is the class of the module. ``note`` says which sizes the shapes have, if the file
    accepts several; it is empty for others.
    """

    class_name: str
    nodes: tuple[AtenNode, ...]
    shapes: Mapping[str, Shape]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    parameters: Mapping[str, str]
    note: str = ""

    def towards(self, output: str) -> "AtenGraph":
        """Return the graph of one output, without the nodes that it does not need."""
        needed, kept = {output}, []
        for node in reversed(self.nodes):
            if needed & set(node.outputs):
                needed |= set(node.refs)
                kept.append(node)
        return replace(self, nodes=tuple(reversed(kept)), outputs=(output,))

    def trained(self) -> set[str]:
        """Return the names of the tensors that a gradient of the output reaches: it ends at each ``detach``."""
        reached = set(self.outputs)
        for node in reversed(self.nodes):
            if reached & set(node.outputs) and node.base != "detach":
                reached |= set(node.refs)
        return reached

    @property
    def batch(self) -> int:
        """Number of samples in a batch of the graph."""
        return self.shapes[self.inputs[0]][0]

    def run(self, samples: Array) -> Array:
        """Return the output for samples, in eval mode and with zeros for random numbers."""
        count = len(samples)
        missing = -count % self.batch
        padded = np.concatenate([samples, np.zeros((missing, *samples.shape[1:]), samples.dtype)])
        made = [self._one(torch.from_numpy(part)) for part in np.split(padded, len(padded) // self.batch)]
        return np.concatenate(made)[:count]

    def _one(self, samples: Tensor) -> Array:
        values: dict[str, Any] = {name: tensor.clone() for name, tensor in self.tensors.items()}
        values[self.inputs[0]] = samples.clone()
        with torch.no_grad():
            for node in self.nodes:
                made = _called(node, values)
                flat = list(made) if isinstance(made, (tuple, list)) else [made]
                values.update(zip(node.outputs, flat, strict=False))
        result: Array = values[self.outputs[0]].float().numpy()
        return result


_TRAINING = {"batch_norm": "training", "dropout": "train", "feature_dropout": "train", "alpha_dropout": "train"}
"""Operators that behave differently during training, and the argument that says so."""
RANDOM = ("randn", "randn_like", "normal_functional", "normal")
"""Operators that draw from a normal distribution."""
SPLITS = ("chunk", "split", "split_with_sizes", "tensor_split")
"""Operators that return parts of a tensor."""


def _called(node: AtenNode, values: Mapping[str, Any]) -> Any:
    args = {name: _value(value, values) for name, value in node.args.items()}
    if node.base in _TRAINING:
        args[_TRAINING[node.base]] = False
    if node.base == "instance_norm" and args["running_mean"] is not None:
        args["use_input_stats"] = False
    schema = node.operator._schema.arguments
    made = node.operator(
        *(args[each.name] for each in schema if not each.kwarg_only),
        **{each.name: args[each.name] for each in schema if each.kwarg_only},
    )
    return made * 0 if node.base in RANDOM else made


def _value(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Ref):
        return values[value.name]
    return [_value(each, values) for each in value] if isinstance(value, list) else value
