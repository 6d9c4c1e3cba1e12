"""The inverse of a pool, as ``upsample=`` of a mirror selects it."""

from typing import Any

from caedsl.resolve.mirror_options import UNPOOL, MirrorOptions
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Draft, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.maxpool import MaxPool
from caedsl.vocabulary.layers.pixelshuffle import SHUFFLE
from caedsl.vocabulary.layers.upsample import MODE, TO
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.window import KERNEL, OUTPUT_PAD, PAD, STRIDE


def enlarged(layer: Layer, manner: MirrorOptions, scope: Scope) -> tuple[Draft, ...] | None:
    """Return the inverse of a pool, as ``upsample=`` selects it."""
    size, channels = layer.in_shape[1:], layer.out_shape[0]
    if manner.upsample in MODE.choices:
        return (Draft("upsample", written({TO: size, MODE: manner.upsample})),)
    if manner.upsample == UNPOOL:
        return _unpooled(layer, manner, scope)
    stride = layer.options[STRIDE]
    if manner.upsample == "deconv":
        rest = tuple(s - (o - 1) * f - f for s, o, f in zip(size, layer.out_shape[1:], stride, strict=True))
        if all(0 <= r < f for r, f in zip(rest, stride, strict=True)):
            window: dict[Option, Any] = {
                CHANNELS: channels,
                KERNEL: stride,
                STRIDE: stride,
                PAD: "valid",
                OUTPUT_PAD: rest,
            }
            return (Draft("deconv", written(window)),)
    factor = stride[0]
    exact = (
        len(stride) == 2
        and len(set(stride)) == 1
        and all(o * factor == s for o, s in zip(layer.out_shape[1:], size, strict=True))
    )
    if manner.upsample == "pixelshuffle" and exact:
        widen = Draft("conv", written({CHANNELS: channels * factor**2}))
        return (widen, Draft("pixelshuffle", written({SHUFFLE: factor})))
    scope.report(
        "no-mirror",
        manner.at,
        f"`upsample={manner.upsample}` cannot return {text(size)} from {text(layer.out_shape[1:])}",
        help="use `upsample=nearest`, which returns any size",
    )
    return None


def _unpooled(layer: Layer, manner: MirrorOptions, scope: Scope) -> tuple[Draft, ...] | None:
    if layer.named and isinstance(layer.kind, MaxPool):
        return (Draft(UNPOOL, written({FROM: layer.named})),)
    why = (
        "this `maxpool` is inside `residual`, whose layers cannot be read from outside"
        if isinstance(layer.kind, MaxPool)
        else f"`{layer.kind.name}` has no positions of maxima"
    )
    message = f"`upsample=unpool` returns maxima to their positions, but {why}"
    scope.report("no-mirror", layer.span, message, help="use `maxpool` outside of residuals, or another `upsample=`")
    return None
