"""Convolutions of Keras: kernels have their channels last, and ``same`` adds an odd zero at the end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.keras.finishing import finished
from caedsl.importing.keras.options import per_axis, weights_options
from caedsl.importing.keras.topology import KerasLayer
from caedsl.importing.keras.translation import Counts, DraftLine, KerasTranslation, Translator
from caedsl.importing.keras.values import Value, map_value, permuted
from caedsl.importing.windows import WindowSizes, convolution_pad, moving
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import OUTPUT_PAD, PAD, SAME_UPPER


def window_of(layer: KerasLayer, value: Value) -> WindowSizes:
    """Return the window of a layer on a map."""
    config, axes = layer.config, len(value.space)
    wanted = int(next((letter for letter in layer.kind if letter in "123"), "0"))
    if not value.is_map or axes != wanted:
        raise UnsupportedFeature(f"it needs a map with {wanted} spatial axes, but gets {value.shape}")
    if (config.get("data_format") == "channels_first") != value.first:
        raise UnsupportedFeature(
            "channels come first in some layers and last in others", "use one `data_format` everywhere"
        )
    names = ("kernel_size", "strides", "dilation_rate")
    kernel, stride, dilation = (per_axis(config.get(name) or 1, axes) for name in names)
    return kernel, stride, dilation


def pads_of(padding: Any, sizes: Shape, window: WindowSizes) -> list[tuple[int, int]]:
    """Return the zeros before and after each axis, as TensorFlow counts them."""
    pads = []
    for size, kernel, stride, dilation in zip(sizes, *window, strict=True):
        extent = dilation * (kernel - 1) + 1
        if padding == "same":
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
            pads.append((total // 2, total - total // 2))
        elif padding == "causal":
            pads.append((extent - 1, 0))
        elif padding == "valid":
            pads.append((0, 0))
        else:
            raise UnsupportedFeature(f"its padding `{padding}` is not supported", "use `same` or `valid`")
    return pads


def convolved(sizes: Shape, window: WindowSizes, pads: Sequence[tuple[int, int]]) -> Shape:
    """Return the output sizes of a convolution."""
    made = tuple(
        (size + sum(pad) - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, stride, dilation, pad in zip(sizes, *window, pads, strict=True)
    )
    if min(made) < 1:
        raise UnsupportedFeature(f"its kernel is larger than the map of {'x'.join(map(str, sizes))}")
    return made


def _placed(value: Value, channels: int, sizes: Shape) -> Shape:
    """Return the shape of a map as Keras has it."""
    return (channels, *sizes) if value.first else (*sizes, channels)


def _conv(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    window, groups = window_of(layer, value), int(layer.config.get("groups") or 1)
    filters, inside = int(layer.config["filters"]), value.ours[0]
    if groups > 1 and value.channels is not None:
        raise UnsupportedFeature(
            "its groups of channels follow a Concatenate in another order", "put the later input first"
        )
    kernel, *bias = translation.arrays(layer, (*window[0], inside // groups, filters), *_bias(layer, filters))
    kernel = permuted(kernel, value.channels, axis=-2)
    line = _conv_line(layer, value, window, filters, groups, weights_options(layer.config), kernel, bias)
    return _emitted(translation, layer, value, window, filters, line)


def _depthwise(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    inside, times = value.ours[0], int(layer.config.get("depth_multiplier") or 1)
    window = window_of(layer, value)
    kernel, *bias = translation.arrays(layer, (*window[0], inside, times), *_bias(layer, inside * times))
    if value.channels is not None and bias:
        bias = [permuted(bias[0].reshape(inside, times), value.channels).ravel()]
    line = _depthwise_line(layer, value, window, kernel, bias)
    return _emitted(translation, layer, value, window, inside * times, line)


def _depthwise_line(
    layer: KerasLayer, value: Value, window: WindowSizes, kernel: NDArray[Any], bias: Sequence[NDArray[Any]]
) -> DraftLine:
    if value.channels is not None and kernel.shape[-1] > 1:
        raise UnsupportedFeature("its channels follow a Concatenate in another order", "put the later input first")
    inside, times = kernel.shape[-2:]
    kernel = permuted(kernel, value.channels, axis=-2).reshape(*kernel.shape[:-2], 1, inside * times)
    options = weights_options(layer.config, "depthwise")
    return _conv_line(layer, value, window, inside * times, inside, options, kernel, bias)


def _separable(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    inside, times, filters = value.ours[0], int(layer.config.get("depth_multiplier") or 1), int(layer.config["filters"])
    window, ones = window_of(layer, value), (1,) * len(value.space)
    shapes = ((*window[0], inside, times), (*ones, inside * times, filters))
    depthwise, pointwise, *bias = translation.arrays(layer, *shapes, *_bias(layer, filters))
    line = _depthwise_line(layer, value, window, depthwise, ())
    sizes = convolved(value.space, window, pads_of(layer.config.get("padding"), value.space, window))
    key = translation.emit(layer, [value.key], (inside * times, *sizes), line)
    pointwise = pointwise.reshape(*ones, inside, times, filters)
    pointwise = permuted(pointwise, value.channels, axis=-3).reshape(*ones, inside * times, filters)
    between = map_value(key, _placed(value, inside * times, sizes), value.first)
    plain = (ones, ones, ones)
    options = weights_options(layer.config, "pointwise")
    last = _conv_line(layer, between, plain, filters, 1, options, pointwise, bias)
    return _emitted(translation, layer, between, plain, filters, last)


def _conv_line(
    layer: KerasLayer,
    value: Value,
    window: WindowSizes,
    filters: int,
    groups: int,
    options: Mapping[Option, Any],
    kernel: NDArray[Any],
    bias: Sequence[NDArray[Any]],
) -> DraftLine:
    pads = pads_of(layer.config.get("padding", "valid"), value.space, window)
    pad = convolution_pad(value.space, window, pads)
    if pad is None:
        raise UnsupportedFeature("its padding differs from axis to axis", "use `same` or `valid`, or ZeroPadding")
    chosen = {CHANNELS: filters, **moving(window, groups), PAD: pad, **options}
    return DraftLine("conv", chosen, _weights(kernel, bias))


def _weights(kernel: NDArray[Any], bias: Sequence[NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Return the weights in PyTorch's layout, where the last two axes of a kernel come first, in reverse."""
    return {
        "weight": np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1))),
        **({"bias": bias[0]} if bias else {}),
    }


def _emitted(
    translation: KerasTranslation, layer: KerasLayer, value: Value, window: WindowSizes, filters: int, line: DraftLine
) -> Value:
    """Add the line of a convolution, and of the activation on the layer itself."""
    pads = pads_of(layer.config.get("padding", "valid"), value.space, window)
    sizes = convolved(value.space, window, pads)
    key = translation.emit(layer, [value.key], (filters, *sizes), line)
    channels = value.channels if "Depthwise" in layer.kind else None
    return finished(translation, layer, map_value(key, _placed(value, filters, sizes), value.first, channels))


def _transposed(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    kernel_size, stride, _ = window = window_of(layer, value)
    if layer.config.get("output_padding") is not None:
        raise UnsupportedFeature("its `output_padding` pads as Keras counts", "remove it, or use Cropping after it")
    filters, inside = int(layer.config["filters"]), value.ours[0]
    kernel, *bias = translation.arrays(layer, (*kernel_size, filters, inside), *_bias(layer, filters))
    kernel = permuted(kernel, value.channels, axis=-1)
    same = layer.config.get("padding", "valid") == "same"
    excess = [d * (k - 1) + 1 - s for k, s, d in zip(*window, strict=True)]
    if same:
        sizes = tuple(size * s for size, s in zip(value.space, stride, strict=True))
        pads: dict[Option, Any] = {PAD: SAME_UPPER if any(each > 0 and each % 2 for each in excess) else "same"}
    else:
        sizes = tuple(size * s + max(each, 0) for size, s, each in zip(value.space, stride, excess, strict=True))
        pads = {PAD: "valid", OUTPUT_PAD: tuple(max(-each, 0) for each in excess)}
    options = {CHANNELS: filters, **moving(window), **pads, **weights_options(layer.config)}
    line = DraftLine("deconv", options, _weights(kernel, bias))
    key = translation.emit(layer, [value.key], (filters, *sizes), line)
    return finished(translation, layer, map_value(key, _placed(value, filters, sizes), value.first))


def _bias(layer: KerasLayer, size: int) -> list[Shape]:
    return [(size,)] if layer.config.get("use_bias", True) else []


def _counted(kernels: int) -> Any:
    return lambda config: Counts(kernels + bool(config.get("use_bias", True)))


TRANSLATORS = {
    **{f"Conv{rank}D": Translator(_conv, _counted(1), False) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": Translator(_transposed, _counted(1), False) for rank in (1, 2, 3)},
    **{f"SeparableConv{rank}D": Translator(_separable, _counted(2), False) for rank in (1, 2)},
    **{f"DepthwiseConv{rank}D": Translator(_depthwise, _counted(1), False) for rank in (1, 2)},
}
