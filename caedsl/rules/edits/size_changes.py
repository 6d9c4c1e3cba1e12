"""Changes that may make a decoder return another size: paddings, rounding, factors, added or removed layers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, groupby, pairwise, product
from typing import Any

from caedsl.diagnostics.text import counted
from caedsl.facts.sizes import decoder_path, encoder_path, leaves, size
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.reading.lines import TIMES
from caedsl.rules.edits.size_walk import Changed, Fits, SizeChange
from caedsl.source import Span
from caedsl.vocabulary.kind import Role, Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR, TO
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Option
from caedsl.vocabulary.pooling import CEIL
from caedsl.vocabulary.shape import Shape, Sides, Sizes, is_map, sizes_text, text
from caedsl.vocabulary.spelling import written
from caedsl.vocabulary.window import KERNEL, OUTPUT_PAD, PAD, STRIDE, axes

_FACTORS = (2, 3, 4, 1)
_MOST_PAIRED = 6  # most upsamplings for which removing two is tried


def changes(model: Autoencoder, fits: Fits) -> Iterator[SizeChange]:
    """Yield changes to one line, each also combined with enlarging layers that return to the encoder's sizes."""
    single = tuple(_single(model))
    yield from single
    for change in (SizeChange(""), *single):
        returned = _returning(model, change, fits) if len(change.options) == change.lines else None
        if returned is not None:
            yield returned


def _single(model: Autoencoder) -> Iterator[SizeChange]:
    encoder, decoder = (_one_a_line(reversed(path(model))) for path in (encoder_path, decoder_path))
    both = (*decoder, *encoder)
    wrong = wrong_axes(model)
    yield from _same_paddings(both)
    yield from _roundings(both)
    yield from _steps(both, wrong)
    yield from _valid(decoder)
    yield from _factors(decoder, wrong, enlarging=True)
    yield from _targets(model)
    yield from _insertion(model)
    yield from _counts(model)
    yield from _removals(decoder)
    yield from _pool_removals(encoder)
    yield from _factors(encoder, wrong, enlarging=False)


def wrong_axes(model: Autoencoder) -> tuple[int, ...]:
    """Return the indices of the axes along which the output has another size than the input."""
    sizes = zip(size(model.out_shape), size(model.target.shape), strict=True)
    return tuple(axis for axis, (got, wanted) in enumerate(sizes) if got != wanted)


def _axis_sets(wrong: tuple[int, ...], rank: int) -> tuple[tuple[int, ...], ...]:
    """Return the sets of axes to change together: all of them, then only the wrong ones."""
    every = tuple(range(rank))
    return (every,) if wrong == every else (every, wrong)


def _one_a_line(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    return tuple({layer.span: layer for layer in layers if layer.mirrors is None}.values())


def _change(title: str, layer: Layer, options: Changed) -> SizeChange:
    return SizeChange(title, {layer.span: options})


def _is_upsampling(layer: Layer) -> bool:
    """Return whether the layer can enlarge to any size, unlike a shuffle."""
    return TO in layer.options


def _size_option(layer: Layer) -> LayerOption[Any] | None:
    """Return the option with which the kind changes the size."""
    if layer.kind.window is Window.POOL:
        return KERNEL
    return STRIDE if STRIDE in layer.options else FACTOR if _is_upsampling(layer) else None


def _same_paddings(layers: Sequence[Layer]) -> Iterator[SizeChange]:
    for layer in layers:
        if layer.options.get(PAD, None) == "valid":
            yield _change("keep the size with `pad=same`", layer, {PAD: "same"})


def _roundings(layers: Sequence[Layer]) -> Iterator[SizeChange]:
    for layer in layers:
        if layer.kind.window is Window.POOL and not layer.options[CEIL]:
            yield _change("round the size of this pool up with `ceil`", layer, {CEIL: True})
        elif layer.kind.window is Window.POOL and CEIL.name in layer.spans:
            yield _change("round the size of this pool down: remove `ceil`", layer, {CEIL: False})


def _steps(layers: Sequence[Layer], wrong: tuple[int, ...]) -> Iterator[SizeChange]:
    """Yield padded window settings one step away, then two, along all axes or along the wrong ones."""
    for step, layer in product((1, 2), layers):
        if layer.kind.role is not Role.WEIGHTED or PAD not in layer.options or layer.options[PAD] == "same":
            continue
        for option in (KERNEL, PAD, OUTPUT_PAD):
            sizes: str | Sizes | Sides = layer.options.get(option, "")
            if not isinstance(sizes, tuple):
                continue
            least = 1 if option is KERNEL else 0
            for moving, move in product(_axis_sets(wrong, len(sizes)), (step, -step)):
                moved = tuple(number + move * (axis in moving) for axis, number in enumerate(sizes))
                if min(moved) >= least:
                    yield _change(f"write `{spelled(layer, option, moved)}`", layer, {option: moved})


def _valid(layers: Sequence[Layer]) -> Iterator[SizeChange]:
    for layer in layers:
        if layer.kind.window is Window.CONVOLUTION and layer.options[PAD] == "same" and max(layer.options[KERNEL]) > 1:
            yield _change("let this convolution cut the border: `pad=valid`", layer, {PAD: "valid"})


def _factors(layers: Sequence[Layer], wrong: tuple[int, ...], enlarging: bool) -> Iterator[SizeChange]:
    """Yield other factors and strides; if the part is ``enlarging``, no convolution is made to shrink."""
    for layer in layers:
        option = _size_option(layer)
        now = layer.options[option] if option is not None else None
        if option is None or now is None:
            continue
        for factor, moving in product(_FACTORS, _axis_sets(wrong, len(now))):
            moved = tuple(factor if axis in moving else size for axis, size in enumerate(now))
            idle = set(moved) == {1} and option is not STRIDE
            shrinking = enlarging and layer.kind.window is Window.CONVOLUTION and factor > 1
            if idle or shrinking or moved == now:
                continue
            options: dict[Option, Any] = {option: moved}
            kernel = layer.options.get(KERNEL, moved)
            if layer.kind.window is Window.TRANSPOSED and any(k % s for k, s in zip(kernel, moved, strict=True)):
                # A kernel that is not a multiple of the stride would produce a grid.
                options[KERNEL] = tuple(s * -(-k // s) for k, s in zip(kernel, moved, strict=True))
            first, *others = (spelled(layer, changed, value) for changed, value in options.items())
            opening = "" if STRIDE in options else f"{layer.kind.name} "
            words = " and ".join(f"`{words}`" for words in (f"{opening}{first}", *others))  # which may be separated
            yield _change(f"write {words}", layer, options)


def _targets(model: Autoencoder) -> Iterator[SizeChange]:
    """Yield ``upsample to`` a size of the encoder, instead of a factor that comes close to it."""
    copies = Counter(layer.span for layer in decoder_path(model))
    down = [
        size(shape)
        for shape in (model.target.shape, model.input.shape, *(layer.out_shape for layer in encoder_path(model)))
        if is_map(shape)
    ]
    for layer in reversed(decoder_path(model)):
        if copies[layer.span] > 1 or layer.mirrors is not None or layer.options.get(TO, None) is not None:
            continue
        for target in dict.fromkeys(down):
            needed = _towards(layer, layer.in_shape, target) if TO in layer.options else None
            if needed:
                yield _change(f"write `{layer.kind.name} {spelled(layer, TO, target)}`", layer, needed)


def _insertion(model: Autoencoder) -> Iterator[SizeChange]:
    """Yield an enlarging layer before the last one, if the output is smaller by about a whole factor."""
    wanted, got = size(model.target.shape), size(model.out_shape)
    factor = tuple(round(w / g) for w, g in zip(wanted, got, strict=True))
    exact = all(g * f == w for w, g, f in zip(wanted, got, factor, strict=True))
    near = all(f * (g - 1) < w < f * (g + 1) for w, g, f in zip(wanted, got, factor, strict=True))
    if model.decoder and near and max(factor) > 1:
        line = f"upsample {sizes_text(factor)}" if exact else f"upsample to {text(wanted)}"
        yield SizeChange("enlarge once more before the last layer", added=line)


def _counts(model: Autoencoder) -> Iterator[SizeChange]:
    """Yield one copy more or less of a repeated ``upsample`` line."""
    for span, group in groupby(decoder_path(model), key=lambda layer: layer.span):
        copies = list(group)
        if _is_upsampling(copies[0]) and TIMES.name in copies[0].spans:
            for count in (len(copies) - 1, len(copies) + 1):
                title = f"repeat this `upsample` {counted(count, 'time')}" if count > 1 else "use this `upsample` once"
                yield SizeChange(title, copies={span: ({},) * count})


def _removals(decoder: Sequence[Layer]) -> Iterator[SizeChange]:
    """Yield the decoder without one or two of its ``upsample`` lines."""
    lines = [layer.span for layer in decoder if _is_upsampling(layer)]
    yield from (SizeChange("remove this `upsample`", without=frozenset({span})) for span in lines)
    for pair in combinations(lines, 2) if len(lines) <= _MOST_PAIRED else ():
        yield SizeChange("remove two of the `upsample` lines", without=frozenset(pair))


def _pool_removals(encoder: Sequence[Layer]) -> Iterator[SizeChange]:
    """Yield the encoder without one of its pools, the last ones first: one too many is easily written."""
    for layer in encoder:
        if layer.kind.window is Window.POOL:
            title = f"remove this `{layer.kind.name}`"
            yield SizeChange(title, without=frozenset({layer.span}))


def _returning(model: Autoencoder, change: SizeChange, fits: Fits) -> SizeChange | None:
    """Return ``change`` with every enlarging layer set to the encoder's size at that depth."""
    down = fits.follow(model.input.shape, encoder_path(model), change)
    sizes = [size(shape) for shape in down or () if is_map(shape)]
    targets = [before for before, after in pairwise(sizes) if before != after]
    layers = tuple(leaves(model.decoder))
    if down is None or sum(_enlarges(layer) for layer in layers) != len(targets):
        return None
    shape = next(shape for shape in reversed(down) if is_map(shape)) if model.bottleneck.inverse else down[-1]
    copies: dict[Span, list[Changed]] = {}
    reached = []
    for layer in layers:
        changed = dict(change.options.get(layer.span, {}))
        current = replace(layer, options=layer.options.changed(changed))
        if _enlarges(layer) and is_map(shape):
            target = targets.pop()
            needed = _towards(current, shape, target)
            if needed is None:
                return None
            if needed:
                changed.update(needed)
                reached.append(text(target))
        copies.setdefault(layer.span, []).append(changed)
        after = fits.after(layer, changed, shape)
        if after is None:
            return None
        shape = after
    if not reached:
        return None
    title = f"return to the encoder's sizes: {', '.join(reached)}"
    alike = {span: each[0] for span, each in copies.items() if each[0] and all(one == each[0] for one in each)}
    mixed = {span: each for span, each in copies.items() if span not in alike and any(each)}
    if any(TIMES.name not in layer.spans for layer in layers if layer.span in mixed) or any(
        TO in changed for span, changed in alike.items() if len(copies[span]) > 1
    ):
        return None  # copies of a `repeat` block share their lines, and `upsample to` is not repeated
    options = {**change.options, **alike}
    return SizeChange("; ".join(filter(None, (change.title, title))), options, mixed)


def _enlarges(layer: Layer) -> bool:
    sizes = zip(layer.in_shape[1:], layer.out_shape[1:], strict=True) if layer.resizes else ()
    return layer.resizes and all(after >= before for before, after in sizes)


def _towards(layer: Layer, before: Shape, target: Sizes) -> Changed | None:
    """Return the options with which ``layer`` returns ``target``, if its factor may stand for that size."""
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


def _padded(layer: Layer, before: Shape, target: Sizes) -> Changed | None:
    """Return the padding and output padding with which a transposed convolution returns ``target``."""
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
