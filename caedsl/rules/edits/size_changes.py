"""Changes to a spec that may make its decoder return another size: paddings, roundings, factors, a layer more or less."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from caedsl.facts.sizes import Size, decoder_path, encoder_path, leaves, resizes, size
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span
from caedsl.vocabulary.kind import Role, Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR, TO
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Option
from caedsl.vocabulary.pooling import CEIL
from caedsl.vocabulary.shape import Shape, Sizes, is_map, sizes_text, text
from caedsl.vocabulary.spelling import written
from caedsl.vocabulary.window import KERNEL, OUTPUT_PAD, PAD, STRIDE, axes

_FACTORS = (2, 3, 4, 1)

Changed = Mapping[Option, Any]
"""New values of options."""


class Change(NamedTuple):
    """New options by the line they stand on; ``added`` is an upsampling before the last layer, ``without`` a line dropped."""

    title: str
    options: Mapping[Span, Changed] = {}
    added: str = ""
    without: Span | None = None

    @property
    def lines(self) -> int:
        """How many lines of the text it changes."""
        return len(self.options) + bool(self.added) + (self.without is not None)


def follow(start: Shape, layers: Sequence[Layer], change: Change) -> list[Shape] | None:
    """The shapes from ``start`` through ``layers`` as the change leaves them; None where one no longer fits."""
    shapes = [start]
    for layer in layers:
        if change.without == layer.span:
            continue
        after = layer.kind.fit_again(layer.options.changed(change.options.get(layer.span, {})), shapes[-1])
        if isinstance(after, Misfit):
            return None
        shapes.append(after.out_shape)
    return shapes


def changes(model: Autoencoder) -> Iterator[Change]:
    """Changes to one line, and with each of them enlarging layers that return to the encoder's sizes."""
    single = tuple(_single(model))
    yield from single
    for change in (Change(""), *single):
        returned = _returning(model, change) if change.options or not change.lines else None
        if returned is not None:
            yield returned


def _single(model: Autoencoder) -> Iterator[Change]:
    encoder, decoder = (_one_a_line(reversed(path(model))) for path in (encoder_path, decoder_path))
    both = (*decoder, *encoder)
    yield from _same_paddings(both)
    yield from _roundings(both)
    yield from _steps(both)
    yield from _valid(decoder)
    yield from _factors(decoder, enlarging=True)
    yield from _insertion(model)
    yield from _removals(decoder)
    yield from _factors(encoder, enlarging=False)


def _one_a_line(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    return tuple({layer.span: layer for layer in layers if layer.mirrors is None}.values())


def _change(title: str, layer: Layer, options: Changed) -> Change:
    return Change(title, {layer.span: options})


def _size_option(layer: Layer) -> LayerOption[Any] | None:
    """Return the option by which the kind changes the size."""
    if layer.kind.window is Window.POOL:
        return KERNEL
    return next((option for option in (STRIDE, FACTOR) if option in layer.options), None)


def _same_paddings(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.options.get(PAD, None) == "valid":
            yield _change("keep the size with `pad=same`", layer, {PAD: "same"})


def _roundings(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.kind.window is Window.POOL and not layer.options[CEIL]:
            yield _change("round the size of this pool up with `ceil`", layer, {CEIL: True})
        elif layer.kind.window is Window.POOL and "ceil" in layer.spans:
            yield _change("round the size of this pool down: leave `ceil` out", layer, {CEIL: False})


def _steps(layers: Sequence[Layer]) -> Iterator[Change]:
    """Numbers of a padded window, one step up or down."""
    for layer in layers:
        if layer.kind.role is not Role.WEIGHTED or PAD not in layer.options or layer.options[PAD] == "same":
            continue
        for option in (KERNEL, PAD, OUTPUT_PAD):
            sizes: str | Sizes = layer.options.get(option, "")
            if isinstance(sizes, str):
                continue
            for step in (1, -1):
                moved = tuple(size + step for size in sizes)
                if min(moved) >= (1 if option is KERNEL else 0):
                    yield _change(f"write `{spelled(layer, option, moved)}`", layer, {option: moved})


def _valid(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.kind.window is Window.CONVOLUTION and layer.options[PAD] == "same" and max(layer.options[KERNEL]) > 1:
            yield _change("let this convolution take off the border: `pad=valid`", layer, {PAD: "valid"})


def _factors(layers: Sequence[Layer], enlarging: bool) -> Iterator[Change]:
    """Other factors and strides; where the part is ``enlarging``, no convolution is made to shrink."""
    for layer in layers:
        option = _size_option(layer)
        now = layer.options[option] if option is not None else None
        if option is None or now is None:
            continue
        for factor in _FACTORS:
            idle = factor == 1 and (option is not STRIDE or set(now) == {1})
            shrinking = enlarging and layer.kind.window is Window.CONVOLUTION and factor > 1
            if idle or shrinking or set(now) == {factor}:
                continue
            options: dict[Option, Any] = {option: (factor,) * len(now)}
            if layer.kind.window is Window.TRANSPOSED and any(side % factor for side in layer.options[KERNEL]):
                # A kernel that the stride does not divide would paint a grid.
                options[KERNEL] = tuple(factor * -(-side // factor) for side in layer.options[KERNEL])
            words = " ".join(spelled(layer, changed, value) for changed, value in options.items())
            opening = "" if option is STRIDE else f"{layer.kind.name} "
            yield _change(f"write `{opening}{words}`", layer, options)


def _insertion(model: Autoencoder) -> Iterator[Change]:
    """An enlarging layer before the last one, where the output is smaller by a whole factor, or about one."""
    wanted, got = size(model.input.shape), size(model.out_shape)
    factor = tuple(round(w / g) for w, g in zip(wanted, got, strict=True))
    exact = all(g * f == w for w, g, f in zip(wanted, got, factor, strict=True))
    near = all(f * (g - 1) < w < f * (g + 1) for w, g, f in zip(wanted, got, factor, strict=True))
    if model.decoder and near and max(factor) > 1:
        line = f"upsample {sizes_text(factor)}" if exact else f"upsample to {text(wanted)}"
        yield Change("enlarge once more before the last layer", added=line)


def _removals(decoder: Sequence[Layer]) -> Iterator[Change]:
    for layer in decoder:
        if FACTOR in layer.options:
            yield Change("leave this `upsample` out", without=layer.span)


def _returning(model: Autoencoder, change: Change) -> Change | None:
    """``change`` with every enlarging layer brought to the size that the encoder had at that depth."""
    down = follow(model.input.shape, encoder_path(model), change)
    sizes = [size(shape) for shape in down or () if is_map(shape)]
    targets = [before for before, after in pairwise(sizes) if before != after]
    layers = tuple(leaves(model.decoder))
    if down is None or sum(_enlarges(layer) for layer in layers) != len(targets):
        return None
    shape = next(shape for shape in reversed(down) if is_map(shape)) if model.bottleneck.inverse else down[-1]
    options: dict[Span, dict[Option, Any]] = {span: dict(given) for span, given in change.options.items()}
    reached = []
    for layer in layers:
        current = replace(layer, options=layer.options.changed(options.get(layer.span, {})))
        if _enlarges(layer) and is_map(shape):
            target = targets.pop()
            needed = _towards(current, shape, target)
            if needed is None:
                return None
            if needed:
                options.setdefault(layer.span, {}).update(needed)
                reached.append(text(target))
        after = layer.kind.fit_again(current.options.changed(options.get(layer.span, {})), shape)
        if isinstance(after, Misfit):
            return None
        shape = after.out_shape
    title = f"return to the size that the encoder had: {', '.join(reached)}"
    return Change("; ".join(filter(None, (change.title, title))), options) if reached else None


def _enlarges(layer: Layer) -> bool:
    sizes = zip(layer.in_shape[1:], layer.out_shape[1:], strict=True) if resizes(layer) else ()
    return resizes(layer) and all(after >= before for before, after in sizes)


def _towards(layer: Layer, before: Shape, target: Size) -> Changed | None:
    """The options with which ``layer`` returns ``target``, where that is a size that its factor may stand for."""
    fit = layer.kind.fit_again(layer.options, before)
    if not isinstance(fit, Misfit) and size(fit.out_shape) == target:
        return {}
    if layer.kind.window is Window.TRANSPOSED:
        return _padded(layer, before, target)
    if TO not in layer.options:
        return None
    factor = layer.options[FACTOR]
    if factor is None:
        return {TO: target}
    near = all(f * (b - 1) < t < f * (b + 1) for b, f, t in zip(size(before), factor, target, strict=True))
    return {FACTOR: None, TO: target} if near else None


def _padded(layer: Layer, before: Shape, target: Size) -> Changed | None:
    """The padding and output padding with which a transposed convolution returns ``target``."""
    pads, rests = [], []
    for axis, wanted in zip(axes(layer.options, before), target, strict=True):
        surplus = (axis.size - 1) * axis.stride + axis.extent - wanted
        rest = surplus % 2 if surplus >= 0 else -surplus
        near = axis.stride * (axis.size - 1) < wanted < axis.stride * (axis.size + 1)
        if rest >= max(axis.stride, axis.dilation) or not near:
            return None
        pads.append((surplus + rest) // 2)
        rests.append(rest)
    return {PAD: tuple(pads), OUTPUT_PAD: tuple(rests)}


def spelled(layer: Layer, option: Option, value: Any) -> str:
    """Return an option as a line of this layer writes it."""
    declared = next(other for other in layer.kind.options if other.name == option.name)
    return written(declared, value)
