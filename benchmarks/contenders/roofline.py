"""The limits of the processor for a model: each layer's products at their own shapes, or its memory traffic.

Large square products are the fastest, but few layers have such shapes. A layer takes at least as long as its three
products (forward, to the input, to the kernel) take as matrices of the layer's own shapes, and at least as long as its
activations take to be read and written. Where a layer can be computed in several ways, the fastest counts: a kernel
multiplies the patches of an image, or every pixel, and the results are added up; and a convolution after an upsampling
is one transposed convolution of the smaller map, with fewer products.
"""

import time
from collections.abc import Callable
from functools import cache
from math import prod

import torch

from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Shape, elements
from caedsl.vocabulary.window import KERNEL

REPEATS, SERIES = 10, 5
CACHE = 1 << 20
"""Bytes of the second-level cache of a core, at least."""
COPIED = 1 << 26
"""Numbers that are copied to measure the memory: far more than caches hold."""


def images_a_second(model: Autoencoder, batch: int, precision: str, device: str) -> float:
    """Return the images that could be trained on in a second, if nothing else took time."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layers = [layer for _, layer in model.layers()]
    traffic = bytes_a_second(dtype, device)
    seconds = 0.0
    for number, layer in enumerate(layers):
        enlarged = layers[number - 1] if number and _merge(layers[number - 1], layer) else None
        if number + 1 < len(layers) and _merge(layer, layers[number + 1]):
            continue
        share = 1.0 if enlarged is None else _share_after(enlarged, layer)
        ways = [
            sum(_product_seconds(*shape, dtype, device) for shape in way[number == 0 :]) for way in _ways(layer, batch)
        ]
        moved = _bytes((enlarged or layer).in_shape, layer.out_shape, batch, dtype)
        seconds += max(share * min(ways, default=0.0), moved / traffic)
    return batch / seconds


def _merge(before: Layer, after: Layer) -> bool:
    """Return whether a convolution at stride 1 follows an enlargement without weights, by whole factors."""
    if before.kind.macs(before) or elements(before.out_shape) <= elements(before.in_shape):
        return False
    sides = zip(before.in_shape[1:], before.out_shape[1:], strict=False)
    repeats = before.in_shape[0] == before.out_shape[0] and all(not large % small for small, large in sides)
    return repeats and KERNEL in after.options and after.in_shape[1:] == after.out_shape[1:]


def _share_after(enlarged: Layer, layer: Layer) -> float:
    """Return the share of products that is left of a convolution when it takes the enlargement before it over.

    Along an axis, a kernel of k places after an enlargement by r becomes one of k + r - 1 places at stride r.
    """
    factors = [large // small for small, large in zip(enlarged.in_shape[1:], enlarged.out_shape[1:], strict=True)]
    return prod((k + r - 1) / (k * r) for k, r in zip(layer.options[KERNEL], factors, strict=True))


def _ways(layer: Layer, batch: int) -> list[list[tuple[int, int, int]]]:
    """Return the ways to compute a layer, each as the rows, depth and columns of its products.

    The product to the input comes first, which the first layer lacks.
    """
    macs = layer.kind.macs(layer)
    if not macs:
        return []
    wide, narrow = (layer.out_shape, layer.in_shape)
    if macs % elements(wide):  # a transposed convolution multiplies at the places of its input
        wide, narrow = narrow, wide
    rows, columns = batch * prod(wide[1:]), wide[0]
    depth = max(1, macs // elements(wide))
    places = prod(layer.options[KERNEL]) if KERNEL in layer.options else 1
    by_pixel = columns * places, max(1, depth // places)
    return [
        [(rows, columns, depth), (rows, depth, columns), (depth, rows, columns)]
        for columns, depth in dict.fromkeys([(columns, depth), by_pixel])
    ]


def _bytes(in_shape: Shape, out_shape: Shape, batch: int, dtype: torch.dtype) -> float:
    """Return what a layer reads and writes: input and output forward, and backward their gradients and the input."""
    return batch * dtype.itemsize * (3 * elements(in_shape) + 2 * elements(out_shape))


@cache
def _product_seconds(rows: int, depth: int, columns: int, dtype: torch.dtype, device: str) -> float:
    """Return the seconds of a product. Its longest side is cut so that all three matrices fit in a cache.

    Traffic of the memory is counted apart, and a convolution never writes the patches that its product stands for.
    """
    sides = [rows, depth, columns]
    longest = sides.index(max(sides))
    others = [side for place, side in enumerate(sides) if place != longest]
    fitting = (CACHE // dtype.itemsize - others[0] * others[1]) // sum(others)
    whole, sides[longest] = sides[longest], max(1, min(sides[longest], fitting))
    rows, depth, columns = sides
    a, b = torch.randn(rows, depth, device=device).to(dtype), torch.randn(depth, columns, device=device).to(dtype)
    product = a @ b
    return _fastest(lambda: torch.mm(a, b, out=product)) * whole / sides[longest]


@cache
def bytes_a_second(dtype: torch.dtype, device: str) -> float:
    """Return the bytes that are read or written in a second where large tensors are copied."""
    source = torch.zeros(COPIED, dtype=dtype, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED * dtype.itemsize / _fastest(lambda: target.copy_(source))


def _fastest(work: Callable[[], torch.Tensor]) -> float:
    """Return the seconds of ``work`` in the fastest of several series, so that the clock's own time hardly counts."""
    seconds = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        for _ in range(SERIES):
            done = work()
        done.flatten()[0].item()  # waits for a device
        seconds.append((time.perf_counter() - begun) / SERIES)
    return min(seconds[1:])
