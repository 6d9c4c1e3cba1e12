"""PyTorch operators with weights, and those that change sizes, as layers: convolutions, dense layers, sizes."""

from typing import Any

from caedsl.importing import spelling
from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.norms import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from caedsl.importing.operators.pools import POOLS
from caedsl.importing.operators.translation import Margins, Spread, Translation, Translator, shaped, spread
from caedsl.vocabulary.layers.upsample import INTERPOLATIONS
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.shape import text as shape_text

MIRRORED = "`pad=reflect` mirrors as much as `pad=same` adds"
UNEVEN = "`pad 1x2` differs by axis, `pad 0..1` by side"


def convolution(t: Translation, node: AtenNode) -> None:
    """Translate ``conv1d`` to ``conv3d``, and the padding before them."""
    args = node.args
    key = t.key(args["input"])
    rank = len(t.shape_of(key)) - 1
    weights = t.weights(node, weight=args["weight"], bias=args["bias"])
    kernel = weights["weight"].shape[2:]
    stride, dilation = spread(args["stride"], rank), spread(args["dilation"], rank)
    pads = _padding(args["padding"], kernel, dilation, rank)
    margins = t.margins.get(key)
    source, sizes = key, t.shape_of(key)[1:]
    options = None
    if margins is not None and set(kernel) != {1} and t.alone(args["input"].name):
        source, sizes, options = _with_margins(t, node, key, margins, pads, kernel, stride, dilation, weights)
    if options is None:
        if margins is not None and margins.mode == "reflect":
            raise UnsupportedFeature(f"its input is mirrored by {margins.sides}", MIRRORED)
        if margins is not None and spelling.margin(margins.sides) is None:
            raise UnsupportedFeature(f"its input is padded by {margins.sides} zeros", UNEVEN)
        source, sizes = key, t.shape_of(key)[1:]
        options = spelling.conv(len(weights["weight"]), sizes, kernel, stride, dilation, args["groups"], pads)
    if options is None:
        raise UnsupportedFeature(
            f"its padding {pads} differs by axis and by side", "`pad` lines before it say each axis"
        )
    if source != key:
        del t.layers[key]
    t.add(node, "conv", options, [source], weights)


def _padding(padding: Any, kernel: Any, dilation: Any, rank: int) -> tuple[tuple[int, int], ...]:
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        totals = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((size, size) for size in spread(padding, rank))


def _with_margins(
    t: Translation,
    node: AtenNode,
    key: str,
    margins: Margins,
    pads: Any,
    kernel: Any,
    stride: Any,
    dilation: Any,
    weights: Any,
) -> tuple[str, Any, str | None]:
    """Return the input before the padding, its sizes, and the options of a convolution that pads by itself."""
    source = t.layers[key].inputs[0]
    sizes, groups, channels = t.shape_of(source)[1:], node.args["groups"], len(weights["weight"])
    total = tuple((a + c, b + d) for (a, b), (c, d) in zip(margins.sides, pads, strict=True))
    if margins.mode == "zeros":
        return source, sizes, spelling.conv(channels, sizes, kernel, stride, dilation, groups, total)
    same = spelling.conv(channels, sizes, kernel, stride, dilation, groups, total)
    if any(map(any, pads)) or same is None or "pad=" in same:
        raise UnsupportedFeature(f"its reflected padding is {total}", MIRRORED)
    return source, sizes, f"{same} pad=reflect"


def transposed(t: Translation, node: AtenNode) -> None:
    """Translate ``conv_transpose1d`` to ``conv_transpose3d``."""
    args, key = node.args, t.key(node.args["input"])
    rank = len(t.shape_of(key)) - 1
    weights = t.weights(node, weight=args["weight"], bias=args["bias"])
    stride, dilation, padding, rest = (
        spread(args[each], rank) for each in ("stride", "dilation", "padding", "output_padding")
    )
    kernel, channels = weights["weight"].shape[2:], weights["weight"].shape[1] * args["groups"]
    options = spelling.deconv(channels, kernel, stride, dilation, args["groups"], padding, rest)
    made = t.add(node, "deconv", options, [key], weights)
    if not any(rest):
        t.windows[made] = Spread(channels, kernel, stride, dilation, args["groups"], padding)


def linear(t: Translation, node: AtenNode) -> None:
    """Translate ``linear``; the line itself flattens a map before it."""
    args, key = node.args, t.key(node.args["input"])
    shape = t.shape_of(key)
    if len(shape) != 1:
        raise UnsupportedFeature(
            f"it multiplies only the last axis of {shaped(shape)}, but `dense` takes all numbers of a sample",
            "`conv N k1` multiplies the channels at every position",
        )
    weights = t.weights(node, weight=args["weight"], bias=args["bias"])
    t.add(node, "dense", str(len(weights["weight"])), [_unflattened(t, node, key, args["input"].name)], weights)


def _unflattened(t: Translation, node: AtenNode, key: str, name: str) -> str:
    """Return the map before a flattening that only this layer reads: ``dense`` flattens by itself."""
    layer = t.layers.get(key)
    if layer is None or layer.kind != "reshape" or not t.alone(name) or not t.together(t.made[name], node):
        return key
    del t.layers[key]
    return layer.inputs[0]


def reshape(t: Translation, node: AtenNode) -> None:
    """Translate every operator that reshapes the numbers of each sample."""
    key = t.key(node.args["self"])
    if t.graph.shapes[node.name][:1] != (t.graph.batch,):
        raise UnsupportedFeature("it mixes the samples of a batch", "`x.flatten(1)` keeps them apart")
    shape = t.shape(node.name)
    before = t.layers.get(key)
    name = node.args["self"].name
    if before is not None and before.kind == "reshape" and t.alone(name) and t.together(t.made[name], node):
        key = before.inputs[0]
        del t.layers[before.key]
    if t.shape_of(key) == shape:
        t.alias(node, key)
        return
    if not shape:
        raise UnsupportedFeature("it leaves a single number a sample", "")
    if elements(shape) != elements(t.shape_of(key)):
        raise UnsupportedFeature(
            f"it turns {shaped(t.shape_of(key))} into {shaped(shape)}", "`reshape` keeps every number"
        )
    t.add(node, "reshape", shape_text(shape), [key])


def upsample(mode: str) -> Translator:
    """Return the translator of ``upsample_nearestNd`` and its linear variants."""

    def translate(t: Translation, node: AtenNode) -> None:
        key = t.key(node.args.get("input", node.args.get("self")))
        before, after = t.shape_of(key)[1:], t.shape(node.name)[1:]
        word = "nearest" if mode == "nearest" else INTERPOLATIONS[len(before) - 1]
        aligned = bool(node.args.get("align_corners"))
        if before == after:
            t.alias(node, key)
        else:
            t.add(node, "upsample", spelling.upsample(before, after, word, aligned), [key])

    return translate


def pixels(kind: str, factor: str) -> Translator:
    """Return the translator of ``pixel_shuffle`` or ``pixel_unshuffle``."""

    def translate(t: Translation, node: AtenNode) -> None:
        t.add(node, kind, str(node.args[factor]), [t.key(node.args["self"])])

    return translate


def pad(t: Translation, node: AtenNode) -> None:
    """Translate padding with zeros, cropping, and reflection before a convolution."""
    key, args = t.key(node.args["self"]), node.args
    rank = len(t.shape_of(key)) - 1
    flat = list(args["pad" if "pad" in args else "padding"]) + [0] * 2 * rank
    sides = tuple((flat[2 * axis], flat[2 * axis + 1]) for axis in reversed(range(rank)))
    mode = {"constant": "zeros", "constant_pad_nd": "zeros"}.get(args.get("mode", node.base), "reflect")
    if "replicat" in args.get("mode", node.base) or "circular" in args.get("mode", node.base) or args.get("value"):
        raise UnsupportedFeature(
            "it repeats the border, or pads with a number other than 0", "`pad` adds zeros, `pad=reflect` mirrors"
        )
    if any(flat[2 * rank :]):
        raise UnsupportedFeature("it pads channels", "`pad` enlarges height and width")
    if not any(map(any, sides)):
        t.alias(node, key)
        return
    if mode == "reflect":
        following = t.readers.get(node.name, [])
        if len(following) != 1 or not following[0].base.startswith("conv"):
            raise UnsupportedFeature(
                "it mirrors the map, but no convolution follows it alone", "`conv pad=reflect` mirrors"
            )
        t.margins[t.add(node, "pad", "0", [key])] = Margins(sides, mode)
        return
    _zeros(t, node, key, sides)


def _zeros(t: Translation, node: AtenNode, key: str, sides: tuple[tuple[int, int], ...]) -> None:
    low = min(min(pair) for pair in sides)
    spread = t.windows.get(key)
    if spread is not None and t.alone(node.args["self"].name):
        options = spelling.cut_deconv(*spread, [(-before, -after) for before, after in sides])
        if options is not None:
            t.replace(key, options=options, shape=t.shape(node.name))
            t.alias(node, key)
            return
    if low >= 0 or max(max(pair) for pair in sides) <= 0:
        kind = "pad" if low >= 0 else "crop"
        amount = spelling.margin([(abs(before), abs(after)) for before, after in sides])
        if amount is None and kind == "crop":
            raise UnsupportedFeature(f"it cuts {sides} off the axes", "two `crop` lines cut axes and ends")
        made = t.add(node, kind, amount or "0", [key])
        if kind == "pad":
            t.margins[made] = Margins(sides, "zeros")
            if amount is None and not _only_before_conv(t, node):
                raise UnsupportedFeature(f"it adds {sides} zeros to the axes", UNEVEN)
        return
    raise UnsupportedFeature(
        f"it enlarges some sides and cuts others: {sides}", "`pad 1` and `crop 1` are lines of their own"
    )


def _only_before_conv(t: Translation, node: AtenNode) -> bool:
    following = t.readers.get(node.name, [])
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
    "pixel_shuffle": pixels("pixelshuffle", "upscale_factor"),
    "pixel_unshuffle": pixels("pixelunshuffle", "downscale_factor"),
    "pad": pad,
    "constant_pad_nd": pad,
}
