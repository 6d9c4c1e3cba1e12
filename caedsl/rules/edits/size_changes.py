"""Changes to a spec that may make its decoder return another size: paddings, roundings, factors, a layer more or less."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from caedsl.facts.sizes import Size, decoder_path, encoder_path, leaves, resizes, size
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.shape import Shape, is_map
from caedsl.vocabulary.window import axes, factor_text

_FACTORS = (2, 3, 4, 1)
POOLS = ("maxpool", "avgpool")
_FACTOR_OPTIONS = {"upsample": "factor", "conv": "stride", "deconv": "stride", "maxpool": "kernel", "avgpool": "kernel"}
"""The option by which each kind changes the size."""

Options = Mapping[str, Any]


class Change(NamedTuple):
    """New options by the line they stand on; ``added`` is an upsampling before the last layer, ``without`` a line dropped."""

    title: str
    options: Mapping[Span, Options] = {}
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
        after = layer.kind.out_shape({**layer.options, **change.options.get(layer.span, {})}, shapes[-1])
        if isinstance(after, Misfit):
            return None
        shapes.append(after)
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


def _change(title: str, layer: Layer, **options: Any) -> Change:
    return Change(title, {layer.span: options})


def _same_paddings(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.options.get("pad") == "valid":
            yield _change("keep the size with `pad=same`", layer, pad="same")


def _roundings(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.kind.name in POOLS and not layer.options["ceil"]:
            yield _change("round the size of this pool up with `ceil`", layer, ceil=True)
        elif layer.kind.name in POOLS and "ceil" in layer.spans:
            yield _change("round the size of this pool down: leave `ceil` out", layer, ceil=False)


def _steps(layers: Sequence[Layer]) -> Iterator[Change]:
    """Numbers of a padded window, one step up or down."""
    for layer in layers:
        if layer.kind.name not in ("conv", "deconv") or layer.options["pad"] == "same":
            continue
        options = ["kernel"] if isinstance(layer.options["pad"], str) else ["kernel", "pad"]
        for option in [*options, *(["output_pad"] if layer.kind.name == "deconv" else [])]:
            for step in (1, -1):
                height, width = layer.options[option]
                moved = height + step, width + step
                if min(moved) >= (1 if option == "kernel" else 0):
                    yield _change(f"write `{spelled(layer, option, moved)}`", layer, **{option: moved})


def _valid(layers: Sequence[Layer]) -> Iterator[Change]:
    for layer in layers:
        if layer.kind.name == "conv" and layer.options["pad"] == "same" and max(layer.options["kernel"]) > 1:
            yield _change("let this convolution take off the border: `pad=valid`", layer, pad="valid")


def _factors(layers: Sequence[Layer], enlarging: bool) -> Iterator[Change]:
    """Other factors and strides; where the part is ``enlarging``, no convolution is made to shrink."""
    for layer in layers:
        name = _FACTOR_OPTIONS.get(layer.kind.name, "")
        if layer.options.get(name) is None:
            continue
        for factor in _FACTORS:
            idle = factor == 1 and (name != "stride" or layer.options[name] == (1, 1))
            shrinking = enlarging and layer.kind.name == "conv" and factor > 1
            if idle or shrinking or layer.options[name] == (factor, factor):
                continue
            options: dict[str, Any] = {name: (factor, factor)}
            if layer.kind.name == "deconv" and any(side % factor for side in layer.options["kernel"]):
                # A kernel that the stride does not divide would paint a grid.
                options["kernel"] = tuple(factor * -(-side // factor) for side in layer.options["kernel"])
            words = " ".join(spelled(layer, option, value) for option, value in options.items())
            yield _change(f"write `{words if name == 'stride' else f'{layer.kind.name} {words}'}`", layer, **options)


def _insertion(model: Autoencoder) -> Iterator[Change]:
    """An enlarging layer before the last one, where the output is smaller by a whole factor, or about one."""
    wanted, got = size(model.input.shape), size(model.out_shape)
    factor = round(wanted[0] / got[0]), round(wanted[1] / got[1])
    exact = all(g * f == w for w, g, f in zip(wanted, got, factor, strict=True))
    near = all(f * (g - 1) < w < f * (g + 1) for w, g, f in zip(wanted, got, factor, strict=True))
    if model.decoder and near and max(factor) > 1:
        line = f"upsample {factor_text(factor)}" if exact else f"upsample to {wanted[0]}x{wanted[1]}"
        yield Change("enlarge once more before the last layer", added=line)


def _removals(decoder: Sequence[Layer]) -> Iterator[Change]:
    for layer in decoder:
        if layer.kind.name == "upsample":
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
    options = {span: dict(given) for span, given in change.options.items()}
    reached = []
    for layer in layers:
        current = replace(layer, options={**layer.options, **options.get(layer.span, {})})
        if _enlarges(layer) and is_map(shape):
            target = targets.pop()
            needed = _towards(current, shape, target)
            if needed is None:
                return None
            if needed:
                options.setdefault(layer.span, {}).update(needed)
                reached.append(factor_text(target) if target[0] != target[1] else f"{target[0]}x{target[1]}")
        after = layer.kind.out_shape({**current.options, **options.get(layer.span, {})}, shape)
        if isinstance(after, Misfit):
            return None
        shape = after
    title = f"return to the size that the encoder had: {', '.join(reached)}"
    return Change("; ".join(filter(None, (change.title, title))), options) if reached else None


def _enlarges(layer: Layer) -> bool:
    return resizes(layer) and layer.out_shape[1] >= layer.in_shape[1] and layer.out_shape[2] >= layer.in_shape[2]


def _towards(layer: Layer, before: Shape, target: Size) -> Options | None:
    """The options with which ``layer`` returns ``target``, where that is a size that its factor may stand for."""
    shape = layer.kind.out_shape(layer.options, before)
    if not isinstance(shape, Misfit) and size(shape) == target:
        return {}
    if layer.kind.name == "deconv":
        return _padded(layer, before, target)
    factor = layer.options.get("factor")
    if layer.kind.name != "upsample":
        return None
    if factor is None:
        return {"to": target}
    near = all(f * (b - 1) < t < f * (b + 1) for b, f, t in zip(size(before), factor, target, strict=True))
    return {"factor": None, "to": target} if near else None


def _padded(layer: Layer, before: Shape, target: Size) -> Options | None:
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
    return {"pad": (pads[0], pads[1]), "output_pad": (rests[0], rests[1])}


def spelled(layer: Layer, option: str, value: Any) -> str:
    """An option as a spec writes it."""
    number = factor_text(value) if isinstance(value, tuple) else str(value)
    match option:
        case "to":
            return f"to {value[0]}x{value[1]}"
        case "kernel" if layer.kind.name not in POOLS:
            return f"k{number}"
        case "stride":
            return f"s{number}"
        case "pad" | "output_pad":
            return f"{option}={number}"
        case "ceil":
            return "ceil"
        case _:
            return number
