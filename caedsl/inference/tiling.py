"""Reconstruct samples of any size in tiles, in bounded memory and without seams.

Each tile has a margin as wide as the network's receptive field, and starts where its strides align with those of the
whole sample. The middle of a tile is therefore the same as in a reconstruction of the whole. x: batch, channels, then
space.
"""

from itertools import product
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.backends.torch.modules import Residual, SampleNormalise
from caedsl.vocabulary.layers.conv import CIRCULAR

TILE = 512
"""Side of a tile without its margins, rounded up to the network's strides."""
_WHOLE = (
    nn.GroupNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.Linear,
    nn.Flatten,
    nn.modules.padding._CircularPadNd,
    SampleNormalise,
)
"""Modules whose output depends on the whole sample, whatever its size."""

Reach = tuple[float, float]
"""Bound on the receptive field to each side of a value, and the distance between values, both in input positions."""


def depends_on_the_whole(module: nn.Module) -> bool:
    """Return whether each output value depends on the whole input, so that tiles would differ from the whole."""
    return any(
        isinstance(part, _WHOLE)
        or (isinstance(part, nn.Upsample) and part.align_corners)
        or getattr(part, "padding_mode", "") == CIRCULAR
        for part in module.modules()
    )


def margin(module: ConvolutionalAutoencoder) -> int:
    """Return an upper bound on the receptive field of an output value to each side, in input positions."""
    reach: Reach = (0.0, 1.0)
    for part in (module.encoder, module.bottleneck, module.decoder):
        reach = _through(part, reach)
    return ceil(reach[0])


def _through(module: nn.Module, reach: Reach) -> Reach:
    side, distance = reach
    if isinstance(module, nn.Sequential):
        for part in module:
            reach = _through(part, reach)
        return reach
    if isinstance(module, Residual):
        body, shortcut = _through(module.body, reach), _through(module.shortcut, reach)
        return max(body[0], shortcut[0]), body[1]
    if isinstance(module, nn.Upsample):
        distance /= max(_numbers(module.scale_factor))
        return side + distance * (module.mode != "nearest"), distance
    kernel = getattr(module, "kernel_size", None)
    if kernel is None:
        return reach
    extent = (max(_numbers(kernel)) - 1) * max(_numbers(getattr(module, "dilation", 1)))
    stride = max(_numbers(getattr(module, "stride", 1)))
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        distance /= stride
        return side + extent * distance, distance
    return side + extent * distance, distance * stride


def _numbers(value: object) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, tuple) else (float(value or 1),)  # type: ignore[arg-type]


@torch.no_grad()
def reconstruct_tiled(module: ConvolutionalAutoencoder, x: Tensor, tile: int = TILE) -> Tensor:
    """Return the reconstruction of samples ``x`` of any size, padded at the ends to one that the module accepts.

    ``tile`` is the side of a tile in input positions. Raise a ``ValueError`` if the module accepts no size as large.
    """
    shape = tuple(x.shape[1:])
    fitting = module.sizes.at_least(shape)
    if fitting is None:
        return _whole(module, x)  # the module raises an error that names the size it accepts
    padding = [
        end for size, wanted in reversed(list(zip(shape[1:], fitting[1:], strict=True))) for end in (0, wanted - size)
    ]
    padded = functional.pad(x, padding, mode="replicate") if any(padding) else x
    at_once = depends_on_the_whole(module) or module.sizes.target != module.sizes.own
    output = _whole(module, padded) if at_once else _by_tiles(module, padded, tile)
    sides = zip(shape[1:], module.sizes.own[1:], module.sizes.target[1:], strict=True)
    cut: Any = (..., *(slice(0, round(size * target / own)) for size, own, target in sides))
    return output[cut]


def _whole(module: ConvolutionalAutoencoder, x: Tensor) -> Tensor:
    made: Tensor = module(x)
    return made


def _by_tiles(module: ConvolutionalAutoencoder, x: Tensor, tile: int) -> Tensor:
    own = module.sizes.own
    larger = module.sizes.at_least((own[0], *(size + 1 for size in own[1:])))
    if larger is None:
        return _whole(module, x)
    strides = [after - before for before, after in zip(own[1:], larger[1:], strict=True)]
    margin_width = margin(module)
    spans = [
        _spans(size, _multiple(tile, stride), _multiple(margin_width, stride))
        for size, stride in zip(x.shape[2:], strides, strict=True)
    ]
    if all(len(axis) == 1 for axis in spans):
        return _whole(module, x)
    output = torch.empty_like(x)
    for place in product(*spans):
        read: Any = (..., *(slice(*span[:2]) for span in place))
        written: Any = (..., *(slice(*span[2:]) for span in place))
        inside: Any = (..., *(slice(span[2] - span[0], span[3] - span[0]) for span in place))
        output[written] = _whole(module, x[read])[inside]
    return output


def _spans(size: int, tile: int, margin_width: int) -> list[tuple[int, int, int, int]]:
    """Return for each tile along one axis the range that is read (from, to) and the range that is kept (from, to)."""
    return [
        (max(0, start - margin_width), min(size, start + tile + margin_width), start, min(size, start + tile))
        for start in range(0, size, tile)
    ]


def _multiple(number: int, of: int) -> int:
    return -(-number // of) * of
