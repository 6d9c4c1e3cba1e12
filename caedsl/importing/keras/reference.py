"""Compute the output of a saved model directly from its configuration, with channels last as in Keras.

An imported spec is compared with this. It shares only the reading of files with the translation.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from caedsl.importing.keras.files import SavedModel
from caedsl.importing.keras.topology import Config
from caedsl.importing.network import INPUT

Compute = Callable[[Config, Sequence[Tensor], Sequence[Tensor]], Tensor]
"""Function that returns the output of a layer from its configuration, its inputs and its weights."""


def computed(saved: SavedModel, samples: NDArray[Any]) -> NDArray[Any]:
    """Return the output of a saved model for a batch of samples in Keras's layout."""
    assert saved.arrays is not None, "a model with unknown layers is not computed"
    values = {INPUT: torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))}
    with torch.no_grad():
        for layer in saved.topology.layers:
            weights = [torch.from_numpy(np.asarray(array, dtype=np.float32)) for array in saved.arrays[layer.key]]
            made = _COMPUTE[layer.kind](layer.config, [values[key] for key in layer.inputs], weights)
            values[layer.key] = _activated(layer.config.get("activation"), made, saved.legacy)
    return values[saved.topology.end].numpy()


def _activated(value: Any, x: Tensor, legacy: bool) -> Tensor:
    config: Config = {}
    if isinstance(value, dict):
        inner = value.get("config")
        name, config = (str(value.get("class_name")), inner) if isinstance(inner, dict) else (str(inner), {})
    else:
        name = str(value or "linear")
    if name in _LAYERS:
        return _LAYERS[name](config, [x], [])
    if name == "hard_sigmoid" and legacy:
        return (0.2 * x + 0.5).clamp(0, 1)
    return _FUNCTIONS[name](x)


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "relu": torch.relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "swish": functional.silu,
    "mish": functional.mish,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros(())),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu6": lambda x: x.clamp(0, 6),
    "hard_silu": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "hard_swish": lambda x: x * (x + 3).clamp(0, 6) / 6,
    "hard_sigmoid": lambda x: (x + 3).clamp(0, 6) / 6,
    "hard_tanh": lambda x: x.clamp(-1, 1),
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
}


def _relu(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    made = functional.leaky_relu(inputs[0], config.get("negative_slope") or 0.0)
    top = config.get("max_value")
    return made if top is None else made.clamp(max=top)


def _leaky(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return functional.leaky_relu(inputs[0], config.get("negative_slope", config.get("alpha", 0.3)))


_LAYERS: dict[str, Compute] = {
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": lambda config, inputs, weights: functional.elu(inputs[0], config.get("alpha", 1.0)),
    "Relu": lambda config, inputs, weights: torch.relu(inputs[0]),
    "Sigmoid": lambda config, inputs, weights: torch.sigmoid(inputs[0]),
    "Tanh": lambda config, inputs, weights: torch.tanh(inputs[0]),
    "Elu": lambda config, inputs, weights: functional.elu(inputs[0]),
    "Silu": lambda config, inputs, weights: functional.silu(inputs[0]),
    "Gelu": lambda config, inputs, weights: functional.gelu(inputs[0]),
}


def _axes(value: Any, count: int) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def _to_first(config: Config, x: Tensor) -> Tensor:
    return x if config.get("data_format") == "channels_first" else x.movedim(-1, 1)


def _to_last(config: Config, x: Tensor) -> Tensor:
    return x if config.get("data_format") == "channels_first" else x.movedim(1, -1)


def _padded(config: Config, x: Tensor, extents: Sequence[int], strides: Sequence[int], fill: float = 0.0) -> Tensor:
    """Return maps with TensorFlow's padding around them."""
    sides: list[int] = []
    for size, extent, stride in zip(x.shape[2:], extents, strides, strict=True):
        total = 0
        if config.get("padding") == "same":
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        before = extent - 1 if config.get("padding") == "causal" else total // 2
        sides = [before, 0 if config.get("padding") == "causal" else total - total // 2, *sides]
    return functional.pad(x, sides, value=fill)


def _convolved(config: Config, x: Tensor, kernel: Tensor, bias: Tensor | None, groups: int) -> Tensor:
    axes = x.ndim - 2
    strides, dilations = _axes(config.get("strides", 1), axes), _axes(config.get("dilation_rate", 1), axes)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel.shape[2:], dilations, strict=True)]
    convolve: Any = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    made: Tensor = convolve(_padded(config, x, extents, strides), kernel, bias, strides, 0, dilations, groups)
    return made


def _bias(weights: Sequence[Tensor], kernels: int) -> Tensor | None:
    return weights[kernels] if len(weights) > kernels else None


def _conv(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    kernel = weights[0].movedim((-1, -2), (0, 1))
    x = _to_first(config, inputs[0])
    return _to_last(config, _convolved(config, x, kernel, _bias(weights, 1), config.get("groups") or 1))


def _depthwise_map(config: Config, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    channels, times = kernel.shape[-2:]
    apart = kernel.movedim((-2, -1), (0, 1)).reshape(channels * times, 1, *kernel.shape[:-2])
    return _convolved(config, x, apart, bias, channels)


def _depthwise(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return _to_last(config, _depthwise_map(config, _to_first(config, inputs[0]), weights[0], _bias(weights, 1)))


def _separable(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    between = _depthwise_map(config, _to_first(config, inputs[0]), weights[0], None)
    return _to_last(config, _convolved({}, between, weights[1].movedim((-1, -2), (0, 1)), _bias(weights, 2), 1))


def _transposed(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    x = _to_first(config, inputs[0])
    axes = x.ndim - 2
    strides, dilations = _axes(config.get("strides", 1), axes), _axes(config.get("dilation_rate", 1), axes)
    turn: Any = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[axes - 1]
    whole: Tensor = turn(x, weights[0].movedim((-1, -2), (0, 1)), None, strides, 0, 0, 1, dilations)
    for axis, (size, stride) in enumerate(zip(x.shape[2:], strides, strict=True), 2):
        extent = whole.shape[axis] - (size - 1) * stride
        wanted = size * stride + (0 if config.get("padding") == "same" else max(extent - stride, 0))
        before = max(extent - stride, 0) // 2 if config.get("padding") == "same" else 0
        missing = max(before + wanted - whole.shape[axis], 0)
        sides = [0, 0] * (whole.ndim - 1 - axis) + [0, missing]
        whole = functional.pad(whole, sides).narrow(axis, before, wanted)
    bias = _bias(weights, 1)
    return _to_last(config, whole if bias is None else whole + bias.reshape(-1, *[1] * axes))


def _dense(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    made = inputs[0] @ weights[0]
    return made + weights[1] if len(weights) > 1 else made


def _pool(largest: bool) -> Compute:
    def pool(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        x = _to_first(config, inputs[0])
        sizes = _axes(config.get("pool_size", 2), x.ndim - 2)
        strides = _axes(config.get("strides") or sizes, x.ndim - 2)

        def windows(maps: Tensor, fill: float) -> Tensor:
            maps = _padded(config, maps, sizes, strides, fill)
            for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True), 2):
                maps = maps.unfold(axis, size, stride)
            return maps.flatten(x.ndim)

        if largest:
            return _to_last(config, windows(x, -torch.inf).amax(-1))
        return _to_last(config, windows(x, 0).sum(-1) / windows(torch.ones_like(x), 0).sum(-1))

    return pool


def _globalpool(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    x = _to_first(config, inputs[0])
    made = x.mean(tuple(range(2, x.ndim)), keepdim=bool(config.get("keepdims")))
    return _to_last(config, made) if config.get("keepdims") else made


def _upsampled(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    x = _to_first(config, inputs[0])
    factors = _axes(config.get("size", 2), x.ndim - 2)
    if config.get("interpolation", "nearest") == "nearest":
        for axis, factor in enumerate(factors, 2):
            x = x.repeat_interleave(factor, axis)
        return _to_last(config, x)
    return _to_last(config, functional.interpolate(x, scale_factor=factors, mode="bilinear", align_corners=False))


def _margin(name: str, sign: int) -> Compute:
    def margin(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        x = _to_first(config, inputs[0])
        axes, value = x.ndim - 2, config[name]
        pairs = (
            [value] if axes == 1 and isinstance(value, list) and not isinstance(value[0], list) else _axes(value, axes)
        )
        sides = [sign * side for pair in reversed(pairs) for side in _axes(pair, 2)]
        return _to_last(config, functional.pad(x, sides))

    return margin


def _reshaped(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return inputs[0].reshape(len(inputs[0]), *config["target_shape"])


def _batch_norm(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    axis = config.get("axis", -1)
    x = inputs[0].movedim(axis[0] if isinstance(axis, list) else axis, -1)
    mean, variance = weights[-2:]
    made = _affine(config, (x - mean) / torch.sqrt(variance + config.get("epsilon", 1e-3)), weights)
    return made.movedim(-1, axis[0] if isinstance(axis, list) else axis)


def _affine(config: Config, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
    rest = list(weights)
    if config.get("scale", True):
        x = x * rest.pop(0)
    return x + rest[0] if config.get("center", True) else x


def _layer_norm(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    axis = config.get("axis", -1)
    mean = inputs[0].mean(axis, keepdim=True)
    variance = inputs[0].var(axis, unbiased=False, keepdim=True)
    return _affine(config, (inputs[0] - mean) / torch.sqrt(variance + config.get("epsilon", 1e-3)), weights)


def _group_norm(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    axis = config.get("axis", -1)
    x = inputs[0].movedim(axis, 1)
    groups = x.shape[1] if config.get("groups") == -1 else config.get("groups", 32)
    made = functional.group_norm(x, groups, None, None, config.get("epsilon", 1e-3))
    return _affine(config, made.movedim(1, -1), weights).movedim(-1, axis)


def _prelu(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return torch.where(inputs[0] > 0, inputs[0], inputs[0] * weights[0])


def _same(config: Config, inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return inputs[0]


_RANKS = (1, 2, 3)
_COMPUTE: dict[str, Compute] = {
    **_LAYERS,
    **{f"Conv{rank}D": _conv for rank in _RANKS},
    **{f"Conv{rank}DTranspose": _transposed for rank in _RANKS},
    **{f"SeparableConv{rank}D": _separable for rank in _RANKS},
    **{f"DepthwiseConv{rank}D": _depthwise for rank in _RANKS},
    **{f"MaxPooling{rank}D": _pool(True) for rank in _RANKS},
    **{f"AveragePooling{rank}D": _pool(False) for rank in _RANKS},
    **{f"GlobalAveragePooling{rank}D": _globalpool for rank in _RANKS},
    **{f"UpSampling{rank}D": _upsampled for rank in _RANKS},
    **{f"ZeroPadding{rank}D": _margin("padding", 1) for rank in _RANKS},
    **{f"Cropping{rank}D": _margin("cropping", -1) for rank in _RANKS},
    **{f"SpatialDropout{rank}D": _same for rank in _RANKS},
    **dict.fromkeys(("Dropout", "GaussianNoise", "ActivityRegularization", "Identity", "Activation"), _same),
    "Dense": _dense,
    "Flatten": lambda config, inputs, weights: inputs[0].reshape(len(inputs[0]), -1),
    "Reshape": _reshaped,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "PReLU": _prelu,
    "Add": lambda config, inputs, weights: torch.stack(list(inputs)).sum(0),
    "Multiply": lambda config, inputs, weights: reduce(mul, inputs),
    "Concatenate": lambda config, inputs, weights: torch.cat(list(inputs), config.get("axis", -1)),
}
