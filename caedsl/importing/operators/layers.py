"""PyTorch operators with weights, and those that change sizes, as layers: convolutions, dense layers, sizes."""

from typing import Any

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.network import Array
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.norms import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from caedsl.importing.operators.pools import POOLS
from caedsl.importing.operators.translation import Padding, Translation, Translator, TransposedWindow, per_axis, shaped
from caedsl.importing.windows import (
    Pads,
    WindowSizes,
    convolution_pad,
    cut_pad,
    enlargement,
    margin,
    moving,
    transposed_pad,
)
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layers.conv import BORDERS, CIRCULAR, REFLECT, REPLICATE
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.layers.pixelshuffle import SHUFFLE
from caedsl.vocabulary.layers.pixelunshuffle import GATHERED
from caedsl.vocabulary.layers.reshape import SHAPE, Reshape
from caedsl.vocabulary.layers.upsample import ALIGN_CORNERS, INTERPOLATIONS, MODE
from caedsl.vocabulary.margin import AMOUNT
from caedsl.vocabulary.option import LayerOption
from caedsl.vocabulary.shape import Sides, Sizes, elements
from caedsl.vocabulary.window import PAD

BORDER = "`pad={}` adds as much as `pad=same` does"
DONE = {REFLECT: "mirrored", REPLICATE: "repeated", CIRCULAR: "wrapped around"}
"""What each padding with values of the map does to its border."""
UNEVEN = "`pad 1x2` differs by axis, `pad 0..1` by side"


def convolution(translation: Translation, node: AtenNode) -> None:
    """Translate ``conv1d`` to ``conv3d``, and the padding before them."""
    args = node.args
    key = translation.key(args["input"])
    weights = translation.weights(node, weight=args["weight"], bias=args["bias"])
    window = _window(node, weights["weight"])
    pads = _padding(args["padding"], window)
    margins = translation.margins.get(key)
    absorbs = margins is not None and set(window[0]) != {1} and translation.alone(args["input"].name)
    pad = _absorbed(translation, key, margins, window, pads) if margins is not None and absorbs else None
    source = key
    if pad is not None:
        source = translation.layers.pop(key).inputs[0]
    else:
        _require_line(margins)
        pad = convolution_pad(translation.shape_of(key)[1:], window, pads)
    if pad is None:
        raise UnsupportedFeature(
            f"its padding {pads} differs by axis and by side", "`pad` lines before it say each axis"
        )
    options = {CHANNELS: len(weights["weight"]), **moving(window, args["groups"]), PAD: pad}
    translation.add(node, "conv", options, [source], weights)


def _window(node: AtenNode, kernel: Array) -> WindowSizes:
    axes = kernel.ndim - 2
    return kernel.shape[2:], per_axis(node.args["stride"], axes), per_axis(node.args["dilation"], axes)


def _padding(padding: Any, window: WindowSizes) -> tuple[tuple[int, int], ...]:
    kernel, _, dilation = window
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        totals = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((size, size) for size in per_axis(padding, len(kernel)))


def _absorbed(
    translation: Translation, key: str, before: Padding, window: WindowSizes, pads: Pads
) -> str | Sizes | Sides | None:
    """Return the ``pad`` of a convolution that replaces the padding ``key`` before it; None if there is none."""
    sizes = translation.shape_of(translation.layers[key].inputs[0])[1:]
    total = tuple((a + c, b + d) for (a, b), (c, d) in zip(before.sides, pads, strict=True))
    pad = convolution_pad(sizes, window, total)
    if before.mode == "zeros":
        return pad
    if any(map(any, pads)) or pad != "same":
        raise UnsupportedFeature(f"its border is {DONE[before.mode]} by {total}", BORDER.format(before.mode))
    return before.mode


def _require_line(before: Padding | None) -> None:
    """Raise ``UnsupportedFeature`` if no line pads as the padding before a convolution does."""
    if before is not None and before.mode in DONE:
        raise UnsupportedFeature(f"its input is {DONE[before.mode]} by {before.sides}", BORDER.format(before.mode))
    if before is not None and margin(before.sides) is None:
        raise UnsupportedFeature(f"its input is padded by {before.sides} zeros", UNEVEN)


def transposed(translation: Translation, node: AtenNode) -> None:
    """Translate ``conv_transpose1d`` to ``conv_transpose3d``."""
    args, key = node.args, translation.key(node.args["input"])
    weights = translation.weights(node, weight=args["weight"], bias=args["bias"])
    window = _window(node, weights["weight"])
    padding, rest = (per_axis(args[each], len(window[0])) for each in ("padding", "output_padding"))
    channels = weights["weight"].shape[1] * args["groups"]
    options = {CHANNELS: channels, **moving(window, args["groups"]), **transposed_pad(window, padding, rest)}
    made = translation.add(node, "deconv", options, [key], weights)
    if not any(rest):
        translation.windows[made] = TransposedWindow(window, padding)


def linear(translation: Translation, node: AtenNode) -> None:
    """Translate ``linear``; ``dense`` flattens a map before it by itself."""
    args, key = node.args, translation.key(node.args["input"])
    shape = translation.shape_of(key)
    if len(shape) != 1:
        raise UnsupportedFeature(
            f"it multiplies only the last axis of {shaped(shape)}, but `dense` takes all numbers of a sample",
            "`conv N k1` multiplies the channels at every position",
        )
    weights = translation.weights(node, weight=args["weight"], bias=args["bias"])
    source = _before_reshape(translation, node, key, args["input"].name)
    translation.add(node, "dense", {UNITS: len(weights["weight"])}, [source], weights)


def _before_reshape(translation: Translation, node: AtenNode, key: str, name: str) -> str:
    """Remove a reshape that only this node reads, and return what it reshapes; otherwise return ``key`` itself."""
    layer = translation.layers.get(key)
    if (
        layer is None
        or layer.kind != Reshape.name
        or not translation.alone(name)
        or not translation.together(translation.producers[name], node)
    ):
        return key
    del translation.layers[key]
    return layer.inputs[0]


def reshape(translation: Translation, node: AtenNode) -> None:
    """Translate every operator that reshapes the numbers of each sample."""
    key = translation.key(node.args["self"])
    if translation.graph.shapes[node.name][:1] != (translation.graph.batch,):
        raise UnsupportedFeature("it mixes the samples of a batch", "`x.flatten(1)` keeps them apart")
    shape = translation.shape(node.name)
    key = _before_reshape(translation, node, key, node.args["self"].name)
    if translation.shape_of(key) == shape:
        translation.alias(node, key)
        return
    if not shape:
        raise UnsupportedFeature("it leaves a single number a sample", "")
    if elements(shape) != elements(translation.shape_of(key)):
        raise UnsupportedFeature(
            f"it turns {shaped(translation.shape_of(key))} into {shaped(shape)}", "`reshape` keeps every number"
        )
    translation.add(node, "reshape", {SHAPE: shape}, [key])


def upsample(mode: str) -> Translator:
    """Return the translator of ``upsample_nearestNd`` and its linear variants."""

    def translate(translation: Translation, node: AtenNode) -> None:
        key = translation.key(node.args.get("input", node.args.get("self")))
        before, after = translation.shape_of(key)[1:], translation.shape(node.name)[1:]
        word = "nearest" if mode == "nearest" else INTERPOLATIONS[len(before) - 1]
        aligned = bool(node.args.get("align_corners"))
        if before == after:
            translation.alias(node, key)
        else:
            options = {**enlargement(before, after), MODE: word, ALIGN_CORNERS: aligned and mode != "nearest"}
            translation.add(node, "upsample", options, [key])

    return translate


def pixels(kind: str, option: LayerOption[int], factor: str) -> Translator:
    """Return the translator of ``pixel_shuffle`` or ``pixel_unshuffle``."""

    def translate(translation: Translation, node: AtenNode) -> None:
        translation.add(node, kind, {option: node.args[factor]}, [translation.key(node.args["self"])])

    return translate


def pad(translation: Translation, node: AtenNode) -> None:
    """Translate padding with zeros, cropping, and padding with values of the map before a convolution."""
    key, args = translation.key(node.args["self"]), node.args
    rank = len(translation.shape_of(key)) - 1
    flat = list(args["pad" if "pad" in args else "padding"]) + [0] * 2 * rank
    sides = tuple((flat[2 * axis], flat[2 * axis + 1]) for axis in reversed(range(rank)))
    mode = {"constant": "zeros", "constant_pad_nd": "zeros"}.get(name := args.get("mode", node.base), name)
    if args.get("value") or mode not in ("zeros", *BORDERS):
        raise UnsupportedFeature("it pads with a number other than 0", "`pad` adds zeros, `pad=reflect` mirrors")
    if any(flat[2 * rank :]):
        raise UnsupportedFeature("it pads channels", "`pad` enlarges height and width")
    if not any(map(any, sides)):
        translation.alias(node, key)
        return
    if mode in BORDERS:
        following = translation.readers.get(node.name, [])
        if len(following) != 1 or not following[0].base.startswith("conv"):
            raise UnsupportedFeature(
                f"its input is {DONE[mode]}, but no convolution follows it alone", f"`conv pad={mode}` does that"
            )
        translation.margins[translation.add(node, "pad", {}, [key])] = Padding(sides, mode)
        return
    _zeros(translation, node, key, sides)


def _zeros(translation: Translation, node: AtenNode, key: str, sides: tuple[tuple[int, int], ...]) -> None:
    low = min(min(pair) for pair in sides)
    window = translation.windows.get(key)
    if window is not None and translation.alone(node.args["self"].name):
        pad = cut_pad(*window, [(-before, -after) for before, after in sides])
        if pad is not None:
            translation.replace(
                key, options=translation.layers[key].options.changed({PAD: pad}), shape=translation.shape(node.name)
            )
            translation.alias(node, key)
            return
    if low >= 0 or max(max(pair) for pair in sides) <= 0:
        kind = "pad" if low >= 0 else "crop"
        amount = margin([(abs(before), abs(after)) for before, after in sides])
        if amount is None and kind == "crop":
            raise UnsupportedFeature(f"it cuts {sides} off the axes", "two `crop` lines cut axes and ends")
        made = translation.add(node, kind, {AMOUNT: amount}, [key])
        if kind == "pad":
            translation.margins[made] = Padding(sides, "zeros")
            if amount is None and not _only_before_conv(translation, node):
                raise UnsupportedFeature(f"it adds {sides} zeros to the axes", UNEVEN)
        return
    raise UnsupportedFeature(
        f"it enlarges some sides and cuts others: {sides}", "`pad 1` and `crop 1` are lines of their own"
    )


def _only_before_conv(translation: Translation, node: AtenNode) -> bool:
    following = translation.readers.get(node.name, [])
    return len(following) == 1 and following[0].base.startswith("conv")


REARRANGING = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze")
"""Operators that change only the shape."""
LAYERS: dict[str, Translator] = {
    **{f"conv{rank}d": convolution for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": transposed for rank in (1, 2, 3)},
    "linear": linear,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    **POOLS,
    **dict.fromkeys(REARRANGING, reshape),
    **{f"upsample_nearest{rank}d": upsample("nearest") for rank in (1, 2, 3)},
    "upsample_linear1d": upsample("linear"),
    "upsample_bilinear2d": upsample("linear"),
    "upsample_trilinear3d": upsample("linear"),
    "pixel_shuffle": pixels("pixelshuffle", SHUFFLE, "upscale_factor"),
    "pixel_unshuffle": pixels("pixelunshuffle", GATHERED, "downscale_factor"),
    "pad": pad,
    "constant_pad_nd": pad,
}
