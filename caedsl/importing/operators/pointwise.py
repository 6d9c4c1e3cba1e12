"""PyTorch operators that change each number: activations, dropout, sums and joins."""

from math import inf
from typing import Any

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.operators.graph import AtenNode, Ref
from caedsl.importing.operators.translation import Translation, Translator, shaped
from caedsl.vocabulary.activations import FUNCTIONS, Activation
from caedsl.vocabulary.layers.activation import VALUE
from caedsl.vocabulary.layers.dropout import ELEMENTWISE, RATE
from caedsl.vocabulary.layers.multiply import Multiply
from caedsl.vocabulary.layers.scale import LEARNED, SCALING
from caedsl.vocabulary.shape import is_map


def _plain(word: str) -> Translator:
    def translate(translation: Translation, node: AtenNode) -> None:
        translation.activate(node, Activation(word), node.args["self"])

    return translate


def _numbered(word: str, argument: str) -> Translator:
    """Return the translator of an activation with one number."""

    def translate(translation: Translation, node: AtenNode) -> None:
        option = FUNCTIONS[word].option
        assert option is not None
        value = node.args[argument]
        if not option.domain.holds(value):
            raise UnsupportedFeature(f"its {argument} is {value:g}", f"`{word}` takes a number {option.domain}")
        translation.activate(node, Activation(word, value), node.args["self"])

    return translate


def _only(word: str, nearest: str, **wanted: Any) -> Translator:
    """Return the translator of an activation that the language has only with these arguments."""

    def translate(translation: Translation, node: AtenNode) -> None:
        other = [f"{name}={node.args[name]}" for name, value in wanted.items() if node.args[name] != value]
        if other:
            raise UnsupportedFeature(f"it has {', '.join(other)}", nearest)
        translation.activate(node, Activation(word), node.args["self"])

    return translate


def _elu(translation: Translation, node: AtenNode) -> None:
    scale, slope = node.args["scale"], node.args["input_scale"]
    if (scale, slope) != (1, 1):
        raise UnsupportedFeature(f"it has the scales {scale} and {slope}", "`elu=1` and `selu` are available")
    _numbered("elu", "alpha")(translation, node)


def _clipped(translation: Translation, node: AtenNode) -> None:
    """Translate ``hardtanh`` and ``clamp``: two ends, or only 0 as the lower one."""
    low, high = (
        node.args.get(first, node.args.get(second)) for first, second in (("min_val", "min"), ("max_val", "max"))
    )
    low, high = (-inf if low is None else low), (inf if high is None else high)
    if isinstance(low, Ref) or isinstance(high, Ref) or (high == inf and low != 0) or low == -inf:
        raise UnsupportedFeature(f"it clips to {low}..{high}", "`clip 0..1` has two ends, and `relu` clips below 0")
    words: dict[tuple[float, float], str] = {(0, inf): "relu", (0, 6): "relu6", (-1, 1): "hardtanh"}
    word = words.get((low, high))
    translation.activate(node, Activation(word) if word else Activation("clip", (low, high)), node.args["self"])


def _prelu(translation: Translation, node: AtenNode) -> None:
    weights = translation.weights(node, weight=node.args["weight"])
    if weights["weight"].ndim > 1:
        raise UnsupportedFeature(
            f"it has {weights['weight'].size} slopes, which are not one for each channel",
            "`prelu` has one slope, and `channel_prelu` one for each channel",
        )
    translation.add(
        node,
        "prelu" if weights["weight"].size == 1 else "channel_prelu",
        {},
        [translation.key(node.args["self"])],
        weights,
    )


def _dropout(translation: Translation, node: AtenNode) -> None:
    key = translation.key(node.args["input"])
    rate = node.args["p"]
    if not rate:
        translation.alias(node, key)
        return
    if rate >= 1:
        raise UnsupportedFeature("it drops everything", "`dropout` takes a share below 1")
    single = node.base == "dropout" and is_map(translation.shape_of(key))
    translation.add(node, "dropout", {RATE: rate, ELEMENTWISE: single}, [key])


def _same(translation: Translation, node: AtenNode) -> None:
    translation.alias(node, translation.key(node.args["self" if "self" in node.args else "input"]))


def _add(translation: Translation, node: AtenNode) -> None:
    if not isinstance(node.args["other"], Ref) or node.args["alpha"] != 1:
        raise UnsupportedFeature("it adds a number", "a bias is part of `conv` and `dense`; shift the data instead")
    added = next((ref for ref in (node.args["self"], node.args["other"]) if ref.name in translation.of_weights), None)
    if added is not None:
        raise UnsupportedFeature(
            f"it adds {translation.weight_name(added)}", "give the `conv` or `dense` before it a bias"
        )
    inputs = [translation.key(node.args["self"]), translation.key(node.args["other"])]
    shapes = {translation.shape_of(key) for key in inputs}
    if len(shapes) > 1:
        raise UnsupportedFeature(
            f"it adds {' and '.join(sorted(map(shaped, shapes)))}", "`add` takes outputs of one shape"
        )
    if len(set(inputs)) == 1:
        raise UnsupportedFeature("it adds an output to itself", "")
    translation.add(node, "add", {}, inputs)


def _cat(translation: Translation, node: AtenNode) -> None:
    inputs = [translation.key(each) for each in node.args["tensors"]]
    if len(inputs) == 1:
        translation.alias(node, inputs[0])
        return
    rank = len(translation.graph.shapes[node.name])
    if node.args["dim"] % rank != 1:
        raise UnsupportedFeature(f"it joins along axis {node.args['dim']}", "`concat` joins channels (dim=1)")
    translation.add(node, "concat", {}, inputs)


def _scaled(translation: Translation, node: AtenNode) -> None:
    """Translate a factor, which belongs to the line of a hyperbolic tangent before it, or one for each channel."""
    one, other = node.args["self"], node.args["other"]
    if isinstance(one, Ref) and one.name in translation.of_weights:
        one, other = other, one
    if isinstance(other, Ref) and other.name in translation.of_weights:
        _scale_channels(translation, node, one, other)
        return
    if isinstance(one, Ref) and isinstance(other, Ref):
        _product(translation, node, one, other)
    else:
        _multiply(translation, node, one, other)


def _product(translation: Translation, node: AtenNode, one: Ref, other: Ref) -> None:
    """Translate the product of two outputs, one of which may have a single channel or position."""
    inputs = [translation.key(one), translation.key(other)]
    shapes = [translation.shape_of(key) for key in inputs]
    if inputs[0] == inputs[1]:
        raise UnsupportedFeature("it multiplies an output by itself", "")
    if translation.shape(node.name) not in shapes or len(shapes[0]) != len(shapes[1]):
        raise UnsupportedFeature(
            f"it multiplies {' by '.join(map(shaped, shapes))}",
            "`multiply` takes outputs of one shape, or a gate with a single channel or a single position",
        )
    translation.add(node, Multiply.name, {}, inputs)


def _scale_channels(translation: Translation, node: AtenNode, source: Ref, factor: Ref) -> None:
    """Translate the product with a weight that has one number for each channel."""
    key = translation.key(source)
    shape = translation.shape_of(key)
    size = translation.size(factor)
    if not translation.of_weights[factor.name] or size[-len(shape) :] != (shape[0], *(1,) * (len(shape) - 1)):
        raise UnsupportedFeature(
            f"it multiplies {shaped(shape)} by {translation.weight_name(factor)} of {shaped(size)}",
            "`scale 1 learned` has a factor for each channel",
        )
    weight = translation.weight(node, Ref(translation.of_weights[factor.name]))
    assert weight is not None, "a weight of the graph"
    values = weight.detach().float().reshape(-1).numpy()
    translation.add(node, "scale", {SCALING: round(float(values[0]), 6), LEARNED: True}, [key], {"weight": values})


def _divided(translation: Translation, node: AtenNode) -> None:
    """Translate a divisor as the factor that it is one over."""
    one, other = node.args["self"], node.args["other"]
    if not isinstance(one, Ref) or isinstance(other, Ref):
        what = (
            translation.weight_name(other)
            if isinstance(other, Ref) and other.name in translation.of_weights
            else "an output"
        )
        raise UnsupportedFeature(
            f"it divides by {what}", "`norm` divides by deviations; `scale 0.1` and `scale 1 learned` multiply"
        )
    if not other or node.args.get("rounding_mode"):
        raise UnsupportedFeature("it divides by 0 or rounds", "")
    _multiply(translation, node, one, 1 / other)


def _negated(translation: Translation, node: AtenNode) -> None:
    _multiply(translation, node, node.args["self"], -1)


def _multiply(translation: Translation, node: AtenNode, one: Ref, factor: float) -> None:
    key = translation.key(one)
    layer = translation.layers.get(key)
    activation = layer.activation if layer is not None else None
    if (
        layer is None
        or activation is None
        or activation.name != "tanh"
        or not translation.alone(one.name)
        or factor <= 0
    ):
        translation.add(node, "scale", {SCALING: factor}, [key])
        return
    del translation.layers[layer.key]
    translation.add(node, "tanh", {VALUE: factor * activation.value}, layer.inputs)


POINTWISE: dict[str, Translator] = {
    **{word: _plain(word) for word in ("relu", "selu", "silu", "mish", "tanh", "sigmoid", "hardswish", "hardsigmoid")},
    "relu6": _plain("relu6"),
    "leaky_relu": _numbered("leaky_relu", "negative_slope"),
    "elu": _elu,
    "gelu": _only("gelu", "`gelu` is the exact one (approximate='none')", approximate="none"),
    "softplus": _only("softplus", "`softplus` has beta=1 and threshold=20", beta=1, threshold=20),
    "prelu": _prelu,
    "hardtanh": _clipped,
    "clamp": _clipped,
    "clamp_min": _clipped,
    "clip": _clipped,
    "dropout": _dropout,
    "feature_dropout": _dropout,
    "add": _add,
    "cat": _cat,
    "concat": _cat,
    "concatenate": _cat,
    "mul": _scaled,
    "div": _divided,
    "neg": _negated,
    **dict.fromkeys(("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "to", "_to_copy", "float"), _same),
}

_CHANNELS_FIRST = "channels stay first in a spec, where `conv N k1` and `norm channel` act on them at every position"
NEAREST = {
    "celu": "`elu` is similar",
    "rrelu": "`leaky_relu` has a fixed slope",
    "softsign": "`tanh` saturates similarly",
    "log_sigmoid": "`sigmoid` or `softplus`",
    "softmax": "`sigmoid` bounds each number on its own",
    "threshold": "`relu` has the threshold 0",
    "glu": "`conv` with `sigmoid`; a spec has no gates",
    "upsample_bicubic2d": "`upsample bilinear`",
    "_upsample_nearest_exact2d": "`upsample nearest`",
    "grid_sampler": "`upsample bilinear`",
    "permute": _CHANNELS_FIRST,
    "transpose": _CHANNELS_FIRST,
    "matmul": "`dense` multiplies by a weight",
    "bmm": "`attention` relates places to each other",
    "scaled_dot_product_attention": "`attention` relates places to each other",
    "lstm": "`conv` reads signals",
    "gru": "`conv` reads signals",
    "embedding": "a spec takes samples of numbers",
    "alpha_dropout": "`dropout`",
    "feature_alpha_dropout": "`dropout`",
    "sub": "`add` sums; shift the data instead",
    "normalize": "`norm rms` divides by a norm",
    "localresponsenorm": "`norm batch`",
    "hardshrink": "`relu` cuts one side",
    "softshrink": "`relu` cuts one side",
    "tanhshrink": "`softcap 3` is linear around 0",
    "logsoftmax": "`sigmoid` bounds each number on its own",
    "multiheadattention": "`attention heads=4` does this over the positions of a map, in one module",
    "transformerencoderlayer": "`residual { norm layer; attention heads=4 }`",
    "rnn": "`conv` reads signals",
    "fold": "`pixelshuffle` or `deconv`",
    "unfold": "`pixelunshuffle` or `conv`",
}
"""Closest alternatives to operators without a counterpart."""
