"""Operator graphs of ``torch.export`` as networks."""

from collections.abc import Callable
from dataclasses import replace
from math import prod, sqrt
from typing import NamedTuple

import numpy as np

from caedsl.importing.errors import ImportFailure, UnsupportedFeature, unsupported
from caedsl.importing.network import INPUT, Array, ForeignLayer, Network, with_frozen
from caedsl.importing.operators.activations import ComputedActivation, activations_of
from caedsl.importing.operators.graph import RANDOM, SPLITS, AtenGraph, AtenNode
from caedsl.importing.operators.layers import LAYERS, REARRANGING
from caedsl.importing.operators.noise import Draw, add_draw, draws_of
from caedsl.importing.operators.own_modules import OwnModule, add_own, own_modules
from caedsl.importing.operators.pointwise import NEAREST, POINTWISE
from caedsl.importing.operators.signal_unpooling import with_signal_unpools
from caedsl.importing.operators.translation import Translation, shaped
from caedsl.model.data import InputRange
from caedsl.vocabulary.initialisations import TORCH
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.kind import Role, written
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.reshape import SHAPE, Reshape
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.shape import Shape, elements, text

_WITHOUT_GRADIENT = "wrap_with_set_grad_enabled"
"""End of the name of the operator that ``torch.export`` makes of ``torch.no_grad``."""
Run = Callable[[Array, str], Array]
"""Function that computes an output for samples."""


def network_of(graph: AtenGraph, name: str, values: InputRange = InputRange(), runs: Run | None = None) -> Network:
    """Return the network that a graph computes.

    ``values`` is the range of the samples' values. ``runs`` computes the original's output, if the graph itself does
    not. Raise ``ImportFailure`` with every operator that has no counterpart.
    """
    notes = [graph.note] if graph.note else []
    output = _output(graph, name, notes)
    graph = graph.towards(output)
    translation = Translation(with_signal_unpools(graph))
    found = _Found(draws_of(translation.graph), activations_of(translation.graph), own_modules(translation))
    for node in translation.graph.nodes:
        _translate(translation, node, found)
    if translation.problems:
        raise unsupported(name, translation.problems)
    layers = list(translation.layers.values())
    shape = graph.shapes[graph.inputs[0]][1:]
    layers, input_shape = _vector_input(layers, shape, notes)
    _end(layers, translation.shape_of(translation.keys[output]), input_shape, notes)
    defaults = {}
    if _fresh(layers):
        weighted = (name for name, kind in KINDS.items() if kind.role is Role.WEIGHTED)
        defaults = dict.fromkeys(weighted, Options(written({INIT: TORCH.name})))
        notes.append("the weights are distributed as PyTorch initialises them: the spec says init=torch")

    def run(samples: Array) -> Array:
        given = samples.reshape(len(samples), *shape)
        made = graph.run(given) if runs is None else runs(given, output)
        return made.reshape(len(samples), *layers[-1].shape)

    network = Network(
        graph.class_name,
        input_shape,
        tuple(layers),
        run,
        range=values,
        defaults=defaults,
        notes=(*notes, *translation.notes),
    )
    return with_frozen(network, translation.detached())


class _Found(NamedTuple):
    """Groups of nodes that are translated together, by the name of the last node; for modules, of each node."""

    draws: dict[str, Draw]
    activations: dict[str, ComputedActivation]
    own: dict[str, OwnModule]

    @property
    def inside(self) -> set[str]:
        """Names of the nodes that only compute the noise of draws or the steps of activations."""
        return set().union(
            *(each.inside for each in self.draws.values()), *(each.inside for each in self.activations.values())
        )

    def reads(self, node: AtenNode) -> bool:
        """Return whether a node belongs to a draw or an activation of several steps."""
        return node.name in self.inside or node.name in self.draws or node.name in self.activations


def _translate(translation: Translation, node: AtenNode, found: _Found) -> None:
    moved = any(name in translation.moved for name in node.refs)
    try:
        if node.operator is None:
            if node.op.endswith(_WITHOUT_GRADIENT):
                raise UnsupportedFeature(
                    "a part of `forward` runs under `torch.no_grad()`, so that its layers are not trained",
                    "remove `torch.no_grad()` from `forward`",
                )
            raise UnsupportedFeature(f"{node.op} is a custom operator", "write it with PyTorch's own layers")
        if node.name in found.own:
            if found.own[node.name].nodes[-1] is node:
                add_own(translation, found.own[node.name])
        elif node.name in found.draws:
            add_draw(translation, node, found.draws[node.name])
        elif node.name in found.activations:
            computed = found.activations[node.name]
            translation.activate(node, computed.activation, computed.source)
        elif node.name in found.inside or node.base in SPLITS:
            _only_for_others(translation, node, found)
        elif node.refs and all(name in translation.of_weights for name in node.refs):
            translation.of_weights[node.name] = translation.of_weights[node.refs[0]] if node.base in REARRANGING else ""
        else:
            translate = LAYERS.get(node.base) or POINTWISE.get(node.base)
            if translate is None:
                raise _unsupported_operator(translation, node)
            translate(translation, node)
    except UnsupportedFeature as refused:
        translation.refuse(node, refused, consequence=moved)
        # A first operator moves the axes, a second one moves them back.
        moved = moved != (node.base in _MOVING)
    if moved:
        translation.moved.update(node.outputs)


def _unsupported_operator(translation: Translation, node: AtenNode) -> UnsupportedFeature:
    kind = translation.layer_class(node)
    nearest = NEAREST.get(node.base) or NEAREST.get(kind.lower(), "")
    return UnsupportedFeature(f"{kind or f'`{node.base}`'} is not supported", nearest)


_MOVING = ("permute", "transpose", "movedim", "moveaxis")


def _only_for_others(translation: Translation, node: AtenNode, found: _Found) -> None:
    """Translate a node of a draw or an activation if something else reads it too."""
    readers = [reader for name in node.outputs for reader in translation.readers.get(name, [])]
    if not all(map(found.reads, readers)):
        if node.base in RANDOM:
            raise UnsupportedFeature(
                "it draws random numbers", "`bottleneck variational` draws a code, `corrupt` adds noise"
            )
        if node.base in SPLITS:
            raise UnsupportedFeature("it takes channels apart", "a spec's lines read whole outputs")
        translate = LAYERS.get(node.base) or POINTWISE.get(node.base)
        if translate is None:
            raise _unsupported_operator(translation, node)
        translate(translation, node)


def _output(graph: AtenGraph, name: str, notes: list[str]) -> str:
    """Return the output that is the reconstruction: the one with the input's shape, or with as many numbers."""
    shape = graph.shapes[graph.inputs[0]]
    outputs = [each for each in dict.fromkeys(graph.outputs) if each not in graph.inputs]
    fitting = [each for each in outputs if graph.shapes[each] == shape] or [
        each for each in outputs if prod(graph.shapes[each]) == prod(shape)
    ]
    if not outputs:
        raise ImportFailure(f"{name} was not imported: it does not return a tensor that it computes")
    if not fitting and len(outputs) > 1:
        listed = ", ".join(shaped(graph.shapes[each][1:]) for each in outputs)
        raise ImportFailure(
            f"{name} was not imported: of its {len(outputs)} outputs ({listed}) none has the shape of the input, "
            f"{text(shape[1:])}, so none is the reconstruction"
        )
    chosen = (fitting or outputs)[0]
    if len(graph.outputs) > 1:
        place = graph.outputs.index(chosen) + 1
        notes.append(f"output {place} of {len(graph.outputs)} is the reconstruction: it has the input's shape")
    return chosen


def _vector_input(layers: list[ForeignLayer], shape: Shape, notes: list[str]) -> tuple[list[ForeignLayer], Shape]:
    """Return the layers after an input with channels; a vector becomes a signal of one channel."""
    if len(shape) > 1:
        return layers, shape
    notes.append(f"the module takes vectors of {shape[0]} numbers: the spec's input is a signal of that length")
    first = _reshape("vector", INPUT, INPUT, shape)
    moved = [layer if _flattens(layer) else _after_input(layer, first) for layer in layers]
    needed = any(first.key in layer.inputs for layer in moved)
    return [*([first] if needed else []), *moved], (1, *shape)


def _flattens(layer: ForeignLayer) -> bool:
    """Return whether a layer takes the numbers of an input of any shape."""
    return layer.declared is not None and layer.declared.joins_all


def _after_input(layer: ForeignLayer, first: ForeignLayer) -> ForeignLayer:
    return replace(layer, inputs=tuple(first.key if key == INPUT else key for key in layer.inputs))


def _reshape(key: str, name: str, source: str, shape: Shape) -> ForeignLayer:
    return ForeignLayer(key, name, Reshape.name, Options(written({SHAPE: shape})), (source,), shape)


def _end(layers: list[ForeignLayer], out_shape: Shape, input_shape: Shape, notes: list[str]) -> None:
    """Add the final reshape that a loss on flat vectors does not need."""
    if out_shape != input_shape and elements(out_shape) == elements(input_shape) and layers:
        last = layers[-1]
        layers.append(_reshape("end", last.name, last.key, input_shape))
        notes.append(f"the module returns {text(out_shape)}, and the spec ends with `reshape {text(input_shape)}`")


def _fresh(layers: list[ForeignLayer]) -> bool:
    """Return whether all weights look as PyTorch initialises them: uniform below 1/√fan-in, biases too."""
    weighted = [layer for layer in layers if layer.declared is not None and layer.declared.role is Role.WEIGHTED]
    return bool(weighted) and all(map(_drawn_by_torch, weighted))


def _drawn_by_torch(layer: ForeignLayer) -> bool:
    kernel = layer.weights["weight"]
    bound = 1 / sqrt(prod(kernel.shape[1:]))
    inside = all(float(np.max(np.abs(array))) <= bound * (1 + 1e-5) for array in layer.weights.values())
    spread = float(np.sqrt(np.mean(np.square(kernel)))) / (bound / sqrt(3))
    loose = 1 + 3 / sqrt(kernel.size)
    bias = layer.weights.get("bias")
    return inside and 1 / loose < spread < loose and (bias is None or bool(np.any(bias)))
