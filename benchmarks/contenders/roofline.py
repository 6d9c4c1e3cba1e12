"""The limits of the processor for a model: each layer's products at their own shapes, or its memory traffic.

Large square products are the fastest, but few layers have such shapes. A layer takes at least as long as
its three products (forward, to the input, to the kernel) take as matrices of the layer's own shapes, and at least as
long as its activations take to be read and written.
"""

import time
from collections.abc import Callable
from functools import cache
from math import prod

import torch

from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements

REPEATS = 20
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
        products = sum(_product_seconds(*shape, dtype, device) for shape in _products(layer, batch)[number == 0 :])
        seconds += max(products, _bytes(layer, batch, dtype) / traffic)
    return batch / seconds


def _products(layer: Layer, batch: int) -> list[tuple[int, int, int]]:
    """Return rows, depth and columns of the products of a layer: to the input first, which the first layer lacks."""
    macs = layer.kind.macs(layer)
    if not macs:
        return []
    wide, narrow = (layer.out_shape, layer.in_shape)
    if macs % elements(wide):  # a transposed convolution multiplies at the places of its input
        wide, narrow = narrow, wide
    rows, columns = batch * prod(wide[1:]), wide[0]
    depth = max(1, macs // elements(wide))
    return [(rows, columns, depth), (rows, depth, columns), (depth, rows, columns)]


def _bytes(layer: Layer, batch: int, dtype: torch.dtype) -> float:
    """Return what a layer reads and writes: input and output forward, and backward their gradients and the input."""
    given, returned = elements(layer.in_shape), elements(layer.out_shape)
    return batch * dtype.itemsize * (3 * given + 2 * returned)


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
    seconds = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        work().flatten()[0].item()  # waits for a device
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])
