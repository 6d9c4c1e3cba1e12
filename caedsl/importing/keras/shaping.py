"""Keras layers without spatial kernels: dense layers, reshapes, pools, upsampling, margins and joins."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.keras.convolutions import pads_of, window_of
from caedsl.importing.keras.finishing import finished, none
from caedsl.importing.keras.options import per_axis, weights_options
from caedsl.importing.keras.topology import KerasLayer
from caedsl.importing.keras.translation import Counts, DraftLine, KerasTranslation, Translator, target
from caedsl.importing.keras.values import Value, map_value, permuted, plain, same
from caedsl.importing.windows import margin
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.layers.multiply import Multiply
from caedsl.vocabulary.layers.reshape import SHAPE
from caedsl.vocabulary.layers.upsample import FACTOR, MODE
from caedsl.vocabulary.margin import AMOUNT
from caedsl.vocabulary.pooling import CEIL, POOL_PAD
from caedsl.vocabulary.shape import Shape, elements, text
from caedsl.vocabulary.window import KERNEL, STRIDE, Axis, pooled

_AXES = (1, 2, 3)


def _dense(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    units, inside = int(layer.config["units"]), value.shape[-1]
    shapes = ((inside, units), *([(units,)] if layer.config.get("use_bias", True) else []))
    kernel, *bias = translation.arrays(layer, *shapes)
    options = weights_options(layer.config)
    if len(value.shape) > 1:
        if not value.is_map or value.first:
            raise UnsupportedFeature("it works on rows of an image without channels", "put a Flatten before it")
        weight = permuted(kernel, value.channels).T.reshape(units, inside, *(1 for _ in value.space))
        window = {CHANNELS: units, KERNEL: (1,)}
        line = DraftLine("conv", window | options, {"weight": weight, **({"bias": bias[0]} if bias else {})})
        key = translation.emit(layer, [value.key], (units, *value.space), line)
        return finished(translation, layer, map_value(key, (*value.shape[:-1], units), False))
    order = translation.wanted(layer.key, units)
    weight = permuted(permuted(kernel, value.order), order, axis=1).T
    weights = {"weight": np.ascontiguousarray(weight), **({"bias": permuted(bias[0], order)} if bias else {})}
    key = translation.emit(layer, [value.key], (units,), DraftLine("dense", {UNITS: units, **options}, weights))
    return finished(translation, layer, Value(key, (units,), (units,), order))


def _flatten(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    return inputs[0].flat()


def _reshape(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    value = inputs[0].flat()
    shape = target(layer.config, value.shape[0])
    if prod(shape) != value.shape[0]:
        raise UnsupportedFeature(f"{shape} does not hold its {value.shape[0]} numbers")
    if len(shape) == 1:
        return value
    start = translation.input
    if shape == start.shape and not start.is_map:
        made = Value("", shape, start.ours, start.order)
    elif len(shape) <= 4:
        made = map_value("", shape, start.first)
    else:
        raise UnsupportedFeature(f"{shape} has more than three spatial axes")
    if not same(value.order, made.flat().order):
        raise UnsupportedFeature(
            "channels come last in Keras and first in a spec, so it would mix them",
            "use Reshape only after Dense, or to restore the shape before a Flatten",
        )
    if value.ours == made.ours:
        return made.moved(value.key)
    return made.moved(translation.emit(layer, [value.key], made.ours, DraftLine("reshape", {SHAPE: made.ours})))


def _pool(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    config, axes = layer.config, len(value.space)
    size = per_axis(config.get("pool_size", 2), axes)
    strides = config.get("strides")
    window = (size, size if strides is None else per_axis(strides, axes), (1,) * axes)
    window_of(layer, value)
    pads = pads_of(config.get("padding", "valid"), value.space, window)
    word = "maxpool" if layer.kind.startswith("Max") else "avgpool"
    wanted = tuple(
        (n + sum(pad) - k) // s + 1 for n, k, s, pad in zip(value.space, window[0], window[1], pads, strict=True)
    )
    before = tuple(pad[0] for pad in pads)
    for ceil in (False, True):
        made = tuple(
            pooled(Axis(n, k, s, 1, p), ceil) for n, k, s, p in zip(value.space, *window[:2], before, strict=True)
        )
        if made == wanted and (word == "maxpool" or not any(before)):
            line = DraftLine(word, {KERNEL: window[0], STRIDE: window[1], POOL_PAD: before, CEIL: ceil})
            key = translation.emit(layer, [value.key], (value.ours[0], *made), line)
            return _sized(value, key, made)
    raise UnsupportedFeature(
        f"`padding=same` of this window has no equivalent in `{word}`", "use `valid`, or a stride of the window's size"
    )


def _sized(value: Value, key: str, sizes: Shape) -> Value:
    """Return a map with the same channels at other sizes."""
    channels = value.ours[0]
    shape = (channels, *sizes) if value.first else (*sizes, channels)
    return map_value(key, shape, value.first, value.channels)


def _globalpool(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    window_of(layer, value)
    channels = value.ours[0]
    key = translation.emit(layer, [value.key], (channels,), DraftLine("globalpool"))
    if not layer.config.get("keepdims"):
        return Value(key, (channels,), (channels,), value.channels)
    ones = (1,) * len(value.space)
    shape = (channels, *ones)
    return _sized(value, translation.emit(layer, [key], shape, DraftLine("reshape", {SHAPE: shape})), ones)


def _upsampling(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    window_of(layer, value)
    factors = per_axis(layer.config.get("size", 2), len(value.space))
    mode = layer.config.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise UnsupportedFeature(f"its interpolation `{mode}` is not supported", "use `nearest` or `bilinear`")
    sizes = tuple(n * factor for n, factor in zip(value.space, factors, strict=True))
    line = DraftLine("upsample", {FACTOR: factors, MODE: mode})
    return _sized(value, translation.emit(layer, [value.key], (value.ours[0], *sizes), line), sizes)


def _margin(name: str, sign: int) -> Callable[[KerasTranslation, KerasLayer, Sequence[Value]], Value]:
    """Return the translation of ``ZeroPadding`` and ``Cropping``."""

    def translate(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
        (value,) = inputs
        window_of(layer, value)
        pads = _sides(layer.config.get("padding" if sign > 0 else "cropping"), len(value.space))
        amount = margin(pads)
        if amount is None:
            raise UnsupportedFeature("its sides differ from axis to axis", f"`{name}` takes one pair for all axes")
        sizes = tuple(n + sign * sum(pad) for n, pad in zip(value.space, pads, strict=True))
        line = DraftLine(name, {AMOUNT: amount})
        return _sized(value, translation.emit(layer, [value.key], (value.ours[0], *sizes), line), sizes)

    return translate


def _sides(value: Any, axes: int) -> list[tuple[int, int]]:
    each = value if isinstance(value, (list, tuple)) else [value] * axes
    if axes == 1 and len(each) == 2 and not isinstance(each[0], (list, tuple)):
        each = [each]
    sides = [tuple(side) if isinstance(side, (list, tuple)) else (side, side) for side in each]
    if len(sides) != axes or not all(len(s) == 2 and all(isinstance(n, int) and n >= 0 for n in s) for s in sides):
        raise UnsupportedFeature(f"`{value}` does not give the sides of {axes} axes")
    return [(before, after) for before, after in sides]


def _add(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    values = [translation.settled(layer, value) for value in inputs]
    if len(values) < 2 or any(value.ours != values[0].ours for value in values):
        raise UnsupportedFeature("its inputs have different shapes", "`add` takes outputs of the same shape")
    if not all(same(value.flat().order, values[0].flat().order) for value in values):
        raise UnsupportedFeature(
            "its inputs have their channels in different orders", "put the later input of Concatenate first"
        )
    return values[0].moved(translation.emit(layer, [value.key for value in values], values[0].ours, DraftLine("add")))


def _multiply(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    values = [translation.settled(layer, value) for value in inputs]
    largest = max(values, key=lambda value: elements(value.ours))
    if len(values) > 2 and any(value.ours != largest.ours for value in values):
        raise UnsupportedFeature("it multiplies more than two outputs of different shapes", "multiply two at a time")
    for value in values:
        pairs = zip(value.ours, largest.ours, strict=False)
        if len(value.ours) != len(largest.ours) or not all(few in (1, many) for few, many in pairs):
            raise UnsupportedFeature(
                f"it multiplies {text(largest.ours)} by {text(value.ours)}",
                "`multiply` takes outputs of the same shape, or a gate with a single channel or a single position, for "
                "which Reshape((1, 1, C)) makes a map of a vector",
            )
        orders = [each.channels if each.is_map else each.order for each in (value, largest)]
        if value.ours[0] == largest.ours[0] and not same(*orders):
            raise UnsupportedFeature(
                "its inputs have their channels in different orders", "put the later input of Concatenate first"
            )
    keys = [value.key for value in values]
    return largest.moved(translation.emit(layer, keys, largest.ours, DraftLine(Multiply.name)))


def _concat(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    values = [translation.settled(layer, value) for value in inputs]
    value, axis = values[0], layer.config.get("axis", -1)
    channel = 1 if value.first or not value.is_map else len(value.shape)
    if axis not in (channel, channel - len(value.shape) - 1) or any(each.space != value.space for each in values):
        raise UnsupportedFeature(f"it joins along axis {axis}", "`concat` joins channels")
    written = _as_written(translation, values)
    sizes = [each.ours[0] for each in values]
    starts = np.cumsum([0, *sizes])
    orders = [each.channels if each.is_map else each.order for each in values]
    parts = [starts[place] + (np.arange(sizes[place]) if orders[place] is None else orders[place]) for place in written]
    order = plain(np.concatenate(parts))
    ours = (sum(sizes), *value.space)
    key = translation.emit(layer, [values[place].key for place in written], ours, DraftLine("concat"))
    if not value.is_map:
        return Value(key, ours, ours, order)
    return map_value(key, ours if value.first else (*value.space, ours[0]), value.first, order)


def _as_written(translation: KerasTranslation, values: Sequence[Value]) -> list[int]:
    """Return the places of inputs in the order of a spec: the one computed last, then those read by name."""
    made = {layer.key: place for place, layer in enumerate(translation.layers)}
    last = max(range(len(values)), key=lambda place: made.get(values[place].key, -1))
    return [last, *(place for place in range(len(values)) if place != last)]


TRANSLATORS = {
    "Dense": Translator(_dense, lambda config: Counts(1 + bool(config.get("use_bias", True))), False),
    "Flatten": Translator(_flatten, none, False),
    "Reshape": Translator(_reshape, none, False),
    **{f"{which}Pooling{rank}D": Translator(_pool, none, False) for which in ("Max", "Average") for rank in _AXES},
    **{f"GlobalAveragePooling{rank}D": Translator(_globalpool, none, False) for rank in _AXES},
    **{f"UpSampling{rank}D": Translator(_upsampling, none, False) for rank in _AXES},
    **{f"ZeroPadding{rank}D": Translator(_margin("pad", 1), none, False) for rank in _AXES},
    **{f"Cropping{rank}D": Translator(_margin("crop", -1), none, False) for rank in _AXES},
    "Add": Translator(_add, none, False),
    "Multiply": Translator(_multiply, none, False),
    "Concatenate": Translator(_concat, none, False),
}
