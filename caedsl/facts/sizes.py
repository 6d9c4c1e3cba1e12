"""Sizes on the way through a model: its resolutions, how each follows, and what its windows never read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import gcd
from typing import NamedTuple

from caedsl.facts.fact import network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer, once_per_fit
from caedsl.vocabulary.shape import Shape, Sizes, axis_names, is_map
from caedsl.vocabulary.window import KERNEL, Axis, axes, padding


def leaves(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield the layers in the order of computation with groups opened, without the shortcuts of residuals."""
    for layer in layers:
        if layer.children:
            yield from leaves(layer.children)
        else:
            yield layer


@network_fact
def encoder_path(model: Autoencoder) -> tuple[Layer, ...]:
    """Return the layers from the input to the code."""
    return tuple(leaves((*model.encoder, *model.bottleneck.layers)))


@network_fact
def decoder_path(model: Autoencoder) -> tuple[Layer, ...]:
    """Return the layers from the code to the output."""
    return tuple(leaves((*model.bottleneck.inverse, *model.decoder)))


def last_branches(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the layers without the branches that a later ``from`` leaves, such as that of a gate."""
    path: list[Layer] = []
    for layer in layers:
        if layer.kind.starts_branch:
            source = [] if layer.source is None else [*leaves((layer.source,))]
            if not source or source[-1] in path:  # the shortcut of a residual is beside the path
                path = path[: path.index(source[-1]) + 1] if source else []
        path.append(layer)
    return tuple(path)


def size(shape: Shape) -> Sizes:
    """Return the sizes of the spatial axes of a map."""
    return shape[1:]


def resolutions(start: Shape, layers: Sequence[Layer]) -> list[Sizes]:
    """Return the spatial sizes of the maps from ``start`` on, without consecutive repeats."""
    shapes = [start, *(layer.out_shape for layer in layers)]
    sizes = [size(shape) for shape in shapes if is_map(shape)]
    return [here for i, here in enumerate(sizes) if i == 0 or here != sizes[i - 1]]


def missing_resolutions(down: Sequence[Sizes], up: Sequence[Sizes]) -> list[Sizes]:
    """Return the sizes of ``down`` that do not reappear in ``up``, in reverse order."""
    missing: list[Sizes] = []
    place = 0
    for passed in reversed(down):
        if passed in up[place:]:
            place = up.index(passed, place)
        elif passed not in missing:
            missing.append(passed)
    return missing


def size_path(start: Shape, layers: Sequence[Layer], which: int) -> str:
    """Return one side of the maps step by step, explained if needed: ``28 → 14 → 7 → 3 (floor(7/2))``.

    ``which`` numbers the axes from 0.
    """
    steps = [str(start[1 + which])] if is_map(start) else []
    for layer in layers:
        if not is_map(layer.out_shape):
            steps.append(f"{layer.out_shape[0]} numbers")
        elif not is_map(layer.in_shape) or layer.in_shape[1 + which] != layer.out_shape[1 + which]:
            reason = _reason(layer, which)
            steps.append(f"{layer.out_shape[1 + which]}{f' ({reason})' if reason else ''}")
    return " → ".join(steps)


def _reason(layer: Layer, which: int) -> str:
    """Return how an output side follows from its input side, unless it is a multiple or an exact quotient."""
    if is_map(layer.in_shape):
        before, after = layer.in_shape[1 + which], layer.out_shape[1 + which]
        if after % before == 0 or before % after == 0:
            return ""
    return layer.kind.reason(layer, which)


def moves_window(layer: Layer) -> bool:
    """Return whether a window moves over the input and may leave some of it unread."""
    return layer.kind.window in (Window.CONVOLUTION, Window.POOL)


class Unread(NamedTuple):
    """Part of an axis that a window never reads.

    ``which`` names the axis, ``edge`` counts the rows at the far edge, and ``skipped`` the rows skipped per ``stride``.
    """

    which: str
    edge: int
    skipped: int
    axis: Axis


@once_per_fit
def unread(layer: Layer) -> Sequence[Unread]:
    """Return what the window of a convolution or pool leaves unread, for each axis on which it leaves anything.

    The window reads the first (out - 1)·stride + extent - padding rows. A kernel of k taps with stride s, dilated by d,
    meets min(k, s / gcd(s, d)) of every s rows.
    """
    found = []
    for i, axis in enumerate(axes(layer.options, layer.in_shape)):
        before, _ = padding(axis)
        read = (layer.out_shape[1 + i] - 1) * axis.stride + axis.extent - before
        met = min(axis.kernel, axis.stride // gcd(axis.stride, axis.dilation))
        edge, skipped = max(0, axis.size - read), axis.stride - met
        if edge or (skipped and axis.size > 1):
            found.append(Unread(axis_names(layer.in_shape)[i], edge, skipped, axis))
    return found


class TransposedLine(NamedTuple):
    """Transposed convolution, the layer whose line it comes from, and whether a later layer mixes pixels."""

    layer: Layer
    source: Layer
    mixed: bool


def transposed_lines(model: Autoencoder, at_fault: Callable[[Layer], bool]) -> Iterator[TransposedLine]:
    """Yield the decoder's transposed convolutions that are ``at_fault``, the last first and each line once."""
    seen, mixed = set(), False
    for layer in () if channels_last(model) else reversed(decoder_path(model)):
        source = layer.mirrors or layer
        if layer.kind.window is Window.TRANSPOSED and source.span not in seen and at_fault(layer):
            seen.add(source.span)
            yield TransposedLine(layer, source, mixed)
        mixed = mixed or min(layer.options.get(KERNEL, (1,))) > 1


def channels_last(model: Autoencoder) -> bool:
    """Return whether the input looks like height x width x channels (``28x28x1``); a spec has the channels first."""
    *first, last = model.input.shape
    return len(first) == 2 and last in (1, 3, 4) and min(first) >= 8
