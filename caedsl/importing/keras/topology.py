"""Layers of a Keras model in the order of computation, with inner models unfolded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import prod
from typing import Any

from caedsl.importing.keras.problems import ModelProblem
from caedsl.importing.network import INPUT

Config = Mapping[str, Any]
Tensor = tuple[str, int]
"""Name of a layer within its model, and the index of its output."""

MODELS = ("Sequential", "Functional", "Model")
"""Classes that only hold layers."""
DEEPEST = 20
"""Depth of nested models that are unfolded."""
MOST_LAYERS = 10_000
LARGEST = 1 << 29
"""Largest number of values in a sample, an output or an array of weights."""


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """Layer of a Keras model.

    ``path`` is its name after the names of the models around it, and ``key`` the same with dots. ``inputs`` are the
    keys that it reads. ``store`` is its group in a file of Keras 3, ``kind`` its class, and ``custom`` says that this
    class is the author's own.
    """

    path: tuple[str, ...]
    key: str
    kind: str
    config: Config
    inputs: tuple[str, ...]
    store: str
    custom: bool


@dataclass(frozen=True)
class Topology:
    """Layers in the order of computation; ``shape`` is a sample's in Keras's layout, ``end`` the key of the output."""

    layers: tuple[KerasLayer, ...]
    shape: tuple[int, ...]
    end: str
    code: str = ""


def topology_of(model: Config) -> Topology:
    """Return the layers of a serialized model."""
    unfolding = _Unfolding()
    outputs = unfolding.model(model, [INPUT], (), "", 0)
    if len(outputs) != 1:
        raise ModelProblem(f"it has {len(outputs)} outputs, but an autoencoder returns only the reconstruction")
    if unfolding.shape is None:
        raise ModelProblem(
            "it does not state the size of its input: build the model, or give it an Input layer, and save it again"
        )
    codes = [end for path, end in unfolding.ends.items() if path[-1].lower().startswith("enc")]
    return Topology(tuple(unfolding.layers), unfolding.shape, outputs[0], codes[0] if len(codes) == 1 else "")


class _Unfolding:
    """Unfolding of models into one list of layers."""

    def __init__(self) -> None:
        self.layers: list[KerasLayer] = []
        self.shape: tuple[int, ...] | None = None
        self.ends: dict[tuple[str, ...], str] = {}

    def model(self, model: Config, given: Sequence[str], path: tuple[str, ...], store: str, depth: int) -> list[str]:
        """Unfold a model that reads the outputs ``given``; return the keys of its own outputs."""
        kind, config = str(model.get("class_name")), _config(model)
        if depth > DEEPEST:
            raise ModelProblem(f"models are nested more than {DEEPEST} deep")
        if kind not in MODELS or is_custom(model):
            raise ModelProblem(
                f"`{kind}` is the author's own class, whose Python decides what it computes: import the Functional or "
                "Sequential model that it holds"
            )
        layers = config.get("layers")
        if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
            raise ModelProblem("its list of layers cannot be read")
        if kind == "Sequential":
            return [self._sequential(layers, config, given, path, store, depth)]
        return self._functional(layers, config, given, path, store, depth)

    def _sequential(
        self, layers: list[Config], config: Config, given: Sequence[str], path: tuple[str, ...], store: str, depth: int
    ) -> str:
        if len(given) != 1:
            raise ModelProblem(f"`{'.'.join(path) or 'the model'}` is Sequential, and reads {len(given)} tensors")
        before, places = given[0], _stores([each for each in layers if each.get("class_name") != "InputLayer"])
        if before == INPUT:
            self._sized(config.get("build_input_shape"))
        for layer in layers:
            if before == INPUT:
                self._sized(_batch_shape(_config(layer)))
            if layer.get("class_name") != "InputLayer":
                before = self._layer(layer, [before], path, f"{store}layers/{next(places)}", depth)[0]
        return before

    def _functional(
        self, layers: list[Config], config: Config, given: Sequence[str], path: tuple[str, ...], store: str, depth: int
    ) -> list[str]:
        names, places = [_name(layer) for layer in layers], list(_stores(layers))
        inputs, outputs = tensors(config.get("input_layers")), tensors(config.get("output_layers"))
        if len(inputs) != len(given):
            raise ModelProblem(
                f"`{'.'.join(path) or 'the model'}` has {len(inputs)} inputs, but an autoencoder has one"
            )
        outputs_of: dict[Tensor, str] = {}
        for (name, _), key in zip(inputs, given, strict=True):
            outputs_of[name, 0] = key
        pending = {name: (layer, store_name) for name, layer, store_name in zip(names, layers, places, strict=True)}
        if len(pending) != len(layers):
            raise ModelProblem("two of its layers have the same name")
        for name, _ in inputs:
            layer, _ = pending.pop(name, ({}, ""))
            if outputs_of[name, 0] == INPUT:
                self._sized(_batch_shape(_config(layer)))
        reads = {name: calls(layer) for name, (layer, _) in pending.items()}
        for name in _in_order(reads):
            if not all(each in outputs_of for each in reads[name]):
                break
            layer, place = pending.pop(name)
            keys = self._layer(layer, [outputs_of[each] for each in reads[name]], path, f"{store}layers/{place}", depth)
            outputs_of |= {(name, index): key for index, key in enumerate(keys)}
        if pending:
            raise ModelProblem(f"no layer computes what `{next(iter(pending))}` reads")
        missing = [name for name, index in outputs if (name, index) not in outputs_of]
        if missing:
            raise ModelProblem(f"no layer computes its output `{missing[0]}`")
        return [outputs_of[each] for each in outputs]

    def _layer(self, layer: Config, inputs: list[str], path: tuple[str, ...], store: str, depth: int) -> list[str]:
        own, kind = (*path, _name(layer)), str(layer.get("class_name"))
        key = ".".join(own)
        if kind in MODELS and not is_custom(layer):
            ends = self.model(layer, inputs, own, f"{store}/", depth + 1)
            if len(ends) == 1:
                self.ends[own] = ends[0]
            return ends
        if len(self.layers) >= MOST_LAYERS:
            raise ModelProblem(f"it has more than {MOST_LAYERS:,} layers")
        self.layers.append(KerasLayer(own, key, kind, _config(layer), tuple(inputs), store, is_custom(layer)))
        return [key]

    def _sized(self, shape: Any) -> None:
        if self.shape is not None or shape is None:
            return
        sizes = list(shape)[1:] if isinstance(shape, (list, tuple)) else []
        if not sizes or not all(isinstance(size, int) and size > 0 for size in sizes) or prod(sizes) > LARGEST:
            raise ModelProblem(
                f"its input is {_shown(shape)}, but a spec needs every size: save it with `keras.Input(shape=...)` of "
                "the samples' size"
            )
        self.shape = tuple(sizes)


def _in_order(reads: Mapping[str, Sequence[Tensor]]) -> Iterator[str]:
    """Yield layers after those that they read, and otherwise in the given order; layers in a cycle are left out."""
    names = list(reads)
    missing = {name: {read for read, _ in inputs if read in reads} for name, inputs in reads.items()}
    readers: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(names):
        for read in missing[name]:
            readers[read].append(place)
    ready = [place for place, name in enumerate(names) if not missing[name]]
    while ready:
        done = names[heappop(ready)]
        yield done
        for place in readers[done]:
            missing[names[place]].discard(done)
            if not missing[names[place]]:
                heappush(ready, place)


def _shown(shape: Any) -> str:
    sizes = shape[1:] if isinstance(shape, (list, tuple)) else ()
    return "x".join("?" if size is None else str(size) for size in sizes) or "of no size"


def _config(layer: Config) -> Config:
    config = layer.get("config")
    if not isinstance(config, dict):
        raise ModelProblem(f"the layer `{layer.get('class_name')}` has no configuration")
    return config


def _name(layer: Config) -> str:
    return str(layer.get("name") or _config(layer).get("name") or layer.get("class_name"))


def _batch_shape(config: Config) -> Any:
    return config.get("batch_shape") or config.get("batch_input_shape")


def is_custom(layer: Config) -> bool:
    """Return whether the class of a serialized object is not one of Keras's own."""
    module, registered = layer.get("module"), layer.get("registered_name")
    if isinstance(registered, str) and ">" in registered and not registered.startswith("Custom>"):
        return True
    if isinstance(registered, str) and registered.startswith("Custom>"):
        return not str(module or "keras").startswith(("keras", "tf_keras"))
    return isinstance(module, str) and module.split(".")[0] not in ("keras", "tf_keras", "tensorflow")


def tensors(value: Any) -> list[Tensor]:
    """Return the tensors of ``input_layers`` or ``output_layers``: one ``[name, node, index]``, or a list or dict."""
    if isinstance(value, dict):
        return [each for inner in value.values() for each in tensors(inner)]
    if not isinstance(value, list) or not value:
        raise ModelProblem("its inputs and outputs cannot be read")
    if isinstance(value[0], str):
        if len(value) < 3 or not isinstance(value[2], int):
            raise ModelProblem("its inputs and outputs cannot be read")
        return [(value[0], value[2])]
    return [each for inner in value for each in tensors(inner)]


def calls(layer: Config) -> list[Tensor]:
    """Return the tensors that a layer of a Functional model reads, in either notation of Keras."""
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list) or not nodes:
        raise ModelProblem(f"the input of `{_name(layer)}` is unknown")
    if len(nodes) > 1:
        raise ModelProblem(
            f"`{_name(layer)}` is used {len(nodes)} times with the same weights, but every line of a spec has weights "
            "of its own: make a layer for each use"
        )
    node = nodes[0]
    found = list(_keras_3(node)) if isinstance(node, dict) else _keras_2(node, _name(layer))
    if not found:
        raise ModelProblem(f"the input of `{_name(layer)}` is unknown")
    return found


def _keras_2(node: Any, name: str) -> list[Tensor]:
    entries = [node] if isinstance(node, list) and node and isinstance(node[0], str) else node
    if not isinstance(entries, list) or not all(isinstance(each, list) and len(each) >= 3 for each in entries):
        raise ModelProblem(f"the input of `{name}` cannot be interpreted")
    return [(str(each[0]), int(each[2])) for each in entries]


def _keras_3(value: Any, depth: int = 0) -> Iterator[Tensor]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        history = _config(value).get("keras_history")
        if isinstance(history, list) and len(history) == 3 and isinstance(history[2], int):
            yield str(history[0]), history[2]
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _keras_3(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _keras_3(inner, depth + 1)


def _stores(layers: Sequence[Config]) -> Iterator[str]:
    """Yield the group of each layer in a file of Keras 3: its class in snake case, numbered within its model."""
    used: dict[str, int] = {}
    for layer in layers:
        name = snake_case(str(layer.get("class_name")))
        yield f"{name}_{used[name]}" if name in used else name
        used[name] = used.get(name, 0) + 1


def snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it in files."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
