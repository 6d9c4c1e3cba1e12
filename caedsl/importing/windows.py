"""Options of windows, margins and enlargements that have the effect of a foreign layer's numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from caedsl.importing.network import ForeignLayer
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.layers.upsample import FACTOR, TO
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Shape, Sides, Sizes
from caedsl.vocabulary.spelling import changed
from caedsl.vocabulary.window import (
    CHANNEL_GROUPS,
    DILATION,
    KERNEL,
    OUTPUT_PAD,
    PAD,
    SAME_UPPER,
    STRIDE,
    Axis,
    convolved,
    padding,
    transposition,
)

Pads = Sequence[tuple[int, int]]
"""Zeros before and after, for each spatial axis."""
WindowSizes = tuple[Sizes, Sizes, Sizes]
"""Kernel, stride and dilation, one number for each axis."""


def moving(window: WindowSizes, groups: int = 1) -> Mapping[Option, Any]:
    """Return the options of a convolution with this window, except for its padding."""
    kernel, stride, dilation = window
    return {KERNEL: kernel, STRIDE: stride, DILATION: dilation, CHANNEL_GROUPS: groups}


def convolution_pad(sizes: Sequence[int], window: WindowSizes, pads: Pads) -> str | Sizes | Sides | None:
    """Return the ``pad`` of a convolution on a map of ``sizes``; None if there is none with these zeros."""
    wanted = [tuple(pair) for pair in pads]
    for word in ("same", SAME_UPPER):
        axes = [Axis(*each, word) for each in zip(sizes, *window, strict=True)]
        if [padding(axis) for axis in axes] == wanted and all(convolved(axis) > 0 for axis in axes):
            return word
    return margin(pads) if any(map(any, wanted)) else "valid"


def transposed_pad(window: WindowSizes, padding: Sizes, output_padding: Sizes) -> Mapping[Option, Any]:
    """Return the options of a transposed convolution with PyTorch's paddings."""
    if _transposes("same", window, padding, output_padding, (0,) * len(padding)):
        return {PAD: "same"}
    return {PAD: padding if any(padding) else "valid", OUTPUT_PAD: output_padding}


def cut_pad(window: WindowSizes, padding: Sizes, cuts: Pads) -> str | None:
    """Return the ``pad`` of a transposed convolution that cuts the end of its output by itself; None if none does."""
    if any(before for before, _ in cuts):
        return None
    ends = [cut for _, cut in cuts]
    words = ("same", SAME_UPPER)
    return next((word for word in words if _transposes(word, window, padding, (0,) * len(ends), ends)), None)


def _transposes(word: str, window: WindowSizes, padding: Sizes, rest: Sizes, cuts: Sequence[int]) -> bool:
    """Return whether ``pad=word`` gives these numbers for every axis."""
    axes = (Axis(0, *each, word) for each in zip(*window, strict=True))
    return list(map(transposition, axes)) == list(zip(padding, rest, cuts, strict=True))


def margin(pads: Pads) -> Sizes | Sides | None:
    """Return the amount of ``pad`` and ``crop``; None if the axes differ in a way that one line cannot express."""
    if all(before == after for before, after in pads):
        return tuple(before for before, _ in pads)
    return Sides(*pads[0]) if len(set(pads)) == 1 else None


def enlargement(before: Shape, after: Shape) -> Mapping[Option, Any]:
    """Return the options of ``upsample`` from one size to another."""
    if all(large % small == 0 for small, large in zip(before, after, strict=True)):
        return {FACTOR: tuple(large // small for small, large in zip(before, after, strict=True))}
    return {TO: after}


def is_pointwise(layer: ForeignLayer) -> bool:
    """Return whether a layer is a convolution with kernel 1 and otherwise the default options."""
    return (
        layer.kind == Conv.name
        and set(layer.options[KERNEL]) == {1}
        and {option.name for option in changed(Conv.options, layer.options, {})} == {CHANNELS.name, KERNEL.name}
    )
