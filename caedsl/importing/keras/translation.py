"""Translate the layers of a Keras model one after another into layers of a spec."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from caedsl.importing.errors import UnsupportedFeature, UnsupportedLayer
from caedsl.importing.keras.nearest import NEAREST, OWN_CLASS
from caedsl.importing.keras.problems import ModelProblem
from caedsl.importing.keras.topology import LARGEST, KerasLayer, Topology
from caedsl.importing.keras.values import Order, Value, map_order, map_value, same
from caedsl.importing.network import INPUT, ForeignLayer
from caedsl.vocabulary.kind import written
from caedsl.vocabulary.layers.reshape import SHAPE, Reshape
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.shape import Shape, text

Arrays = Mapping[str, Sequence[NDArray[Any]]]
"""Weights of each layer in Keras's order, by the layer's key."""


class Counts(NamedTuple):
    """Number of weights of a layer that are trained, and of those that are not."""

    trained: int
    kept: int = 0


@dataclass(frozen=True)
class Translator:
    """Translation of one Keras class.

    ``translate`` returns the output of a layer and ``counts`` its weights. ``passes`` says that each element of its
    output has the place of the same element of its input.
    """

    translate: "Callable[[KerasTranslation, KerasLayer, Sequence[Value]], Value]"
    counts: Callable[[Mapping[str, Any]], Counts]
    passes: bool


@dataclass
class DraftLine:
    """Line under construction."""

    kind: str
    options: Mapping[Option, Any] = field(default_factory=dict)
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class KerasTranslation:
    """State of a translation: the lines so far, and the layers that have no word."""

    def __init__(
        self, topology: Topology, translators: Mapping[str, Translator], arrays: Arrays | None, legacy: bool
    ) -> None:
        self.topology = topology
        self.legacy = legacy
        self.layers: list[ForeignLayer] = []
        self.unsupported: list[UnsupportedLayer] = []
        self.notes: list[str] = []
        self._translators = translators
        self._arrays = arrays
        self._readers: dict[str, list[KerasLayer]] = {}
        for layer in topology.layers:
            for key in layer.inputs:
                self._readers.setdefault(key, []).append(layer)
        self.values: dict[str, Value] = {INPUT: self._input(topology.shape)}
        self.input = self.values[INPUT]

    def run(self) -> Value | None:
        """Translate every layer; return the output, or None if some layer is not supported."""
        for layer in self.topology.layers:
            inputs = [self.values[key] for key in layer.inputs if key in self.values]
            translator = self._translators.get(layer.kind)
            try:
                if layer.custom or translator is None:
                    raise UnsupportedFeature(*(OWN_CLASS if layer.custom else NEAREST.get(layer.kind, OWN_CLASS)))
                if len(inputs) == len(layer.inputs):
                    self.values[layer.key] = translator.translate(self, layer, inputs)
            except UnsupportedFeature as missing:
                self.unsupported.append(UnsupportedLayer(layer.key, f"{layer.kind}: {missing.what}", missing.nearest))
        return None if self.unsupported else self._ended(self.values[self.topology.end])

    def _input(self, shape: Shape) -> Value:
        """Return the value of the input: a map, or a vector or matrix that is read as an image of one channel."""
        readers = self._readers.get(INPUT, [])
        flat = all(each.kind in ("Dense", "Flatten", "Reshape", *_passing(self._translators)) for each in readers)
        if len(shape) == 1:
            for each in readers:
                if each.kind == "Reshape" and len(target(each.config, shape[0])) > 1:
                    made = map_value(INPUT, target(each.config, shape[0]), False)
                    return Value(INPUT, shape, made.ours, made.flat().order)
            side = int(shape[0] ** 0.5)
            ours = (1, side, side) if side * side == shape[0] and side >= 8 else (1, shape[0])
            self.notes.append(f"samples are {text(ours)}, which the original takes as vectors of {shape[0]} numbers")
            return Value(INPUT, shape, ours)
        if len(shape) == 2 and flat and not any(each.kind == "Dense" for each in readers):
            return Value(INPUT, shape, (1, *shape))
        if len(shape) > 4:
            raise ModelProblem(f"its samples have {len(shape)} axes, but a spec describes signals, images and volumes")
        first = any(layer.config.get("data_format") == "channels_first" for layer in self.topology.layers)
        return map_value(INPUT, shape, first)

    def _ended(self, value: Value) -> Value:
        """Return the output in the shape of the input."""
        if value.ours == self.input.ours or value.ours[1:] or not same(value.flat().order, self.input.flat().order):
            return value
        if len(value.flat().ours) != 1 or prod(value.ours) != prod(self.input.ours):
            return value
        shape = self.input.ours
        options = Options(written({SHAPE: shape}))
        self.layers.append(ForeignLayer("output#", "output", Reshape.name, options, (value.key,), shape))
        return replace(value, key="output#", ours=shape)

    def emit(self, layer: KerasLayer, inputs: Sequence[str], shape: Shape, line: DraftLine) -> str:
        """Add a line; return the key of its output."""
        if prod(shape) > LARGEST:
            raise ModelProblem(f"`{layer.key}` returns more than {LARGEST:,} numbers")
        key = f"{layer.key}#{len(self.layers)}"
        options = Options(written(line.options))
        self.layers.append(ForeignLayer(key, layer.key, line.kind, options, tuple(inputs), shape, line.weights))
        return key

    def settled(self, layer: KerasLayer, value: Value) -> Value:
        """Return a Keras vector as one of ours; it is still a map after a ``Flatten`` that has no line."""
        if value.is_map or len(value.ours) == 1:
            return value
        shape = (prod(value.ours),)
        return replace(
            value, key=self.emit(layer, [value.key], shape, DraftLine(Reshape.name, {SHAPE: shape})), ours=shape
        )

    def arrays(self, layer: KerasLayer, *shapes: Sequence[int]) -> list[NDArray[Any]]:
        """Return the weights of a layer, which must have these shapes; zeros if no weights are known."""
        if any(prod(shape) > LARGEST for shape in shapes):
            raise ModelProblem(f"`{layer.key}` has more than {LARGEST:,} weights")
        if self._arrays is None:
            return [np.zeros(shape, np.float32) for shape in shapes]
        arrays = [np.asarray(array, dtype=np.float32) for array in self._arrays.get(layer.key, ())]
        if [array.shape for array in arrays] != [tuple(shape) for shape in shapes]:
            there = ", ".join(str(array.shape) for array in arrays) or "none"
            wanted = ", ".join(str(tuple(shape)) for shape in shapes)
            raise ModelProblem(f"the weights of `{layer.key}` are {there}, but its configuration asks for {wanted}")
        return arrays

    def wanted(self, key: str, size: int) -> Order | None:
        """Return the order that the readers of a vector need: that of the map which a ``Reshape`` makes of it."""
        seen: set[str] = set()
        while key not in seen:
            seen.add(key)
            if key == self.topology.end:
                return self.input.flat().order if prod(self.input.ours) == size else None
            readers = self._readers.get(key, [])
            for reader in readers:
                shape = target(reader.config, size) if reader.kind == "Reshape" else ()
                if (
                    len(shape) > 1
                    and prod(shape) == size
                    and not (reader.key == self.topology.end and shape == self.input.shape)
                ):
                    return map_order(shape, False)
            passing = [each for each in readers if each.kind in ("Reshape", "Flatten", *_passing(self._translators))]
            if not passing:
                return None
            key = passing[0].key
        return None


def _passing(translators: Mapping[str, Translator]) -> tuple[str, ...]:
    return tuple(kind for kind, translator in translators.items() if translator.passes)


def target(config: Mapping[str, Any], size: int) -> Shape:
    """Return the shape that a ``Reshape`` makes of ``size`` numbers."""
    shape = config.get("target_shape")
    if not isinstance(shape, (list, tuple)) or not all(isinstance(each, int) for each in shape):
        raise ModelProblem("a Reshape has no `target_shape`")
    known = prod(each for each in shape if each != -1)
    return tuple(size // max(known, 1) if each == -1 else each for each in shape)
