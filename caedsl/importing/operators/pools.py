"""PyTorch's pools as layers, and what undoes them."""

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.translation import Translation, Translator, per_axis, shaped
from caedsl.vocabulary.layers.reshape import SHAPE
from caedsl.vocabulary.pooling import CEIL, POOL_PAD
from caedsl.vocabulary.shape import is_map
from caedsl.vocabulary.window import KERNEL, STRIDE


def pool(kind: str) -> Translator:
    """Return the translator of ``max_poolNd`` or ``avg_poolNd``."""

    def translate(translation: Translation, node: AtenNode) -> None:
        args, key = node.args, translation.key(node.args["self"])
        rank = len(translation.shape_of(key)) - 1
        for places in node.outputs[1:]:
            if places in translation.graph.outputs or any(
                each.base not in UNPOOLS for each in translation.readers.get(places, ())
            ):
                raise UnsupportedFeature("it returns the places of the largest values", "`unpool` alone reads them")
        kernel = per_axis(args["kernel_size"], rank)
        stride = per_axis(args["stride"], rank) if args["stride"] else kernel
        padding = per_axis(args["padding"], rank)
        if set(per_axis(args.get("dilation", 1), rank)) != {1}:
            raise UnsupportedFeature("it is dilated", f"`{kind}` has no gaps")
        uneven = args["ceil_mode"] or any(padding)
        if kind == "avgpool" and (args.get("divisor_override") or (uneven and not args["count_include_pad"])):
            raise UnsupportedFeature(
                "it excludes the padding from its means", "`avgpool` counts zeros, as PyTorch does by default"
            )
        before = list(translation.layers.values())
        made = translation.add(
            node, kind, {KERNEL: kernel, STRIDE: stride, POOL_PAD: padding, CEIL: args["ceil_mode"]}, [key]
        )
        pool = translation.layers[made]
        for same in before:  # a module may compute the values and the places in two calls
            if (same.kind, same.options, same.inputs) == (kind, pool.options, pool.inputs):
                del translation.layers[made]
                made = same.key
                translation.alias(node, made)
        translation.keys.update(dict.fromkeys(node.outputs[1:], made))

    return translate


UNPOOLS = ("max_unpool1d", "max_unpool2d", "max_unpool3d")


def unpool(translation: Translation, node: AtenNode) -> None:
    """Translate an unpooling by the places of the largest values of a pool before it."""
    key, pool_key = translation.key(node.args["self"]), translation.key(node.args["indices"])
    before = translation.layers[pool_key]
    if translation.shape(node.name) != translation.shape_of(before.inputs[0]):
        raise UnsupportedFeature(
            f"it returns {shaped(translation.shape(node.name))} for the positions of {before.name}, whose input is "
            f"{shaped(translation.shape_of(before.inputs[0]))}",
            "`unpool` has the size of the pool's input: give output_size",
        )
    translation.add(node, "unpool", {}, [key, pool_key])


def adaptive_pool(kind: str) -> Translator:
    """Return the translator of an adaptive pool to sizes that divide the map's."""

    def translate(translation: Translation, node: AtenNode) -> None:
        key = translation.key(node.args["self"])
        before, after = translation.shape_of(key)[1:], translation.shape(node.name)[1:]
        if before == after:
            translation.alias(node, key)
        elif kind == "avgpool" and set(after) == {1}:
            pooled = translation.add(
                node, "globalpool", {}, [key], shape=translation.shape(node.name)[:1], suffix="_means"
            )
            translation.add(node, "reshape", {SHAPE: translation.shape(node.name)}, [pooled])
        elif any(large % small for large, small in zip(before, after, strict=True)):
            raise UnsupportedFeature(
                f"it turns {shaped(before)} into {shaped(after)} by windows of several sizes",
                f"`{kind} 2` has windows of one size",
            )
        else:
            window = tuple(large // small for large, small in zip(before, after, strict=True))
            translation.add(node, kind, {KERNEL: window}, [key])

    return translate


def mean(translation: Translation, node: AtenNode) -> None:
    """Translate the mean over all spatial axes."""
    key = translation.key(node.args["self"])
    shape = translation.shape_of(key)
    axes = {axis % (len(shape) + 1) for axis in node.args["dim"] or ()}
    if axes != set(range(2, len(shape) + 1)) or not is_map(shape):
        raise UnsupportedFeature(
            f"it averages over some axes of {shaped(shape)}", "`globalpool` averages over all of space"
        )
    kept = node.args["keepdim"]
    pooled = translation.add(node, "globalpool", {}, [key], shape=shape[:1], suffix="_means" if kept else "")
    if kept:
        translation.add(node, "reshape", {SHAPE: translation.shape(node.name)}, [pooled])


POOLS: dict[str, Translator] = {
    **{f"max_pool{rank}d": pool("maxpool") for rank in (1, 2, 3)},
    **{f"max_pool{rank}d_with_indices": pool("maxpool") for rank in (1, 2, 3)},
    **{f"avg_pool{rank}d": pool("avgpool") for rank in (1, 2, 3)},
    **{f"adaptive_avg_pool{rank}d": adaptive_pool("avgpool") for rank in (1, 2, 3)},
    **{f"adaptive_max_pool{rank}d": adaptive_pool("maxpool") for rank in (1, 2, 3)},
    **dict.fromkeys(UNPOOLS, unpool),
    "mean": mean,
}
