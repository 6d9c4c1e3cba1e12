"""The inverse of a pool, as ``upsample=`` of a mirror selects it."""

from collections.abc import Callable, Mapping
from typing import Any

from caedsl.resolve.mirroring.mirror_options import UNPOOL, MirrorOptions
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Draft, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.layers.deconv import Deconv
from caedsl.vocabulary.layers.maxpool import MaxPool
from caedsl.vocabulary.layers.pixelshuffle import SHUFFLE, PixelShuffle
from caedsl.vocabulary.layers.upsample import MODE, TO, Upsample, interpolation, other_rank
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.window import KERNEL, OUTPUT_PAD, PAD, STRIDE


def _deconvolved(layer: Layer) -> tuple[Draft, ...] | None:
    size, stride = layer.in_shape[1:], layer.options[STRIDE]
    rest = tuple(s - (o - 1) * f - f for s, o, f in zip(size, layer.out_shape[1:], stride, strict=True))
    if not all(0 <= r < f for r, f in zip(rest, stride, strict=True)):
        return None
    window: dict[Option, Any] = {
        CHANNELS: layer.out_shape[0],
        KERNEL: stride,
        STRIDE: stride,
        PAD: "valid",
        OUTPUT_PAD: rest,
    }
    return (Draft(Deconv.name, written(window)),)


def _shuffled(layer: Layer) -> tuple[Draft, ...] | None:
    factor, *others = layer.options[STRIDE]
    sizes = zip(layer.out_shape[1:], layer.in_shape[1:], strict=True)
    if others != [factor] or any(after * factor != before for after, before in sizes):
        return None
    widen = Draft(Conv.name, written({CHANNELS: layer.out_shape[0] * factor**2}))
    return (widen, Draft(PixelShuffle.name, written({SHUFFLE: factor})))


_BY_WEIGHTS: Mapping[str, Callable[[Layer], tuple[Draft, ...] | None]] = {
    Deconv.name: _deconvolved,
    PixelShuffle.name: _shuffled,
}
UPSAMPLE_CHOICES = (*MODE.choices, *_BY_WEIGHTS, UNPOOL)
"""Words of ``upsample=``."""


def enlarged(layer: Layer, mirror_options: MirrorOptions, scope: Scope) -> tuple[Draft, ...] | None:
    """Return the inverse of a pool, as ``upsample=`` selects it."""
    size = layer.in_shape[1:]
    wrong = other_rank(mirror_options.upsample, layer.in_shape)
    if wrong:
        scope.report("wrong-type", mirror_options.at, wrong, help=f"write `upsample={interpolation(layer.in_shape)}`")
        return None
    if mirror_options.upsample in MODE.choices:
        return (Draft(Upsample.name, written({TO: size, MODE: mirror_options.upsample})),)
    if mirror_options.upsample == UNPOOL:
        return _unpooled(layer, mirror_options, scope)
    drafts = _BY_WEIGHTS[mirror_options.upsample](layer)
    if drafts is not None:
        return drafts
    scope.report(
        "no-mirror",
        mirror_options.at,
        f"`upsample={mirror_options.upsample}` cannot return {text(size)} from {text(layer.out_shape[1:])}",
        help="use `upsample=nearest`, which returns any size",
    )
    return None


def _unpooled(layer: Layer, mirror_options: MirrorOptions, scope: Scope) -> tuple[Draft, ...] | None:
    if isinstance(layer.kind, MaxPool):
        return (Draft(UNPOOL, written({FROM: layer.named})),)
    message = f"`upsample=unpool` returns maxima to their positions, but `{layer.kind.name}` has no positions of maxima"
    scope.report("no-mirror", layer.span, message, help="use `maxpool`, or another `upsample=`")
    return None
