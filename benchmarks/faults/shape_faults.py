"""Faults of the text, and of sizes and channels."""

import re

from benchmarks.faults.edits import (
    Edits,
    after,
    convolutions,
    decoder_lines,
    has_dense,
    hidden,
    on_every,
    strided,
    written,
)
from benchmarks.faults.operator_type import operator, returns_other_size
from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Edit
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.source import Span
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.shape import is_map, text
from caedsl.vocabulary.window import CHANNEL_GROUPS, KERNEL, PAD, STRIDE


def _replaced(model: Autoencoder, pattern: str, by: str) -> Edits:
    """Replace the first match outside comments."""
    found = re.search(rf"^[^#\n]*?({pattern})", model.source.text, re.MULTILINE)
    return [Edit(Span(found.start(1), found.end(1)), by)] if found else []


def misspelt_layer(model: Autoencoder, wrong: str) -> Edits:
    return _replaced(model, r"\bconv\b(?= \d)", wrong)


def misspelt_option(model: Autoencoder, wrong: str) -> Edits:
    layer = convolutions(written(model.encoder))[0]
    return [Edit(Span(layer.span.end, layer.span.end), f" {wrong}")]


def misspelt_activation(model: Autoencoder, wrong: str) -> Edits:
    return _replaced(model, r"\brelu\b", wrong)


def misspelt_setting(model: Autoencoder, wrong: str) -> Edits:
    right = {"optimiser": "optimizer", "epoch": "epochs", "batch_size": "batch"}[wrong]
    span = model.places.get(f"train.{right}")
    return [Edit(Span(span.start, span.start + len(right)), wrong)] if span else []


def missing_brace(model: Autoencoder, _: None) -> Edits:
    end = model.source.text.rindex("}")
    return [Edit(Span(end, end + 1), "")]


def other_size(model: Autoencoder, change: tuple[int, int]) -> Edits:
    """Set another input size, to which an explicit decoder may fail to return."""
    channels, height, width = model.input.shape
    asserted = is_map(model.code_shape) and "x" in model.source.slice(model.bottleneck.span)
    if model.mirrored or asserted or any(layer.kind.name == "reshape" for layer in decoder_lines(model)):
        return []
    wanted = height + change[0], width + change[1]
    return [Edit(model.input.span, text((channels, *wanted)))]


def missing_upsampling(model: Autoencoder, _: None) -> Edits:
    """Omit one upsampling step."""
    for layer in decoder_lines(model):
        if layer.kind.name == "upsample":
            return [removal(model.source.text, layer.span)]
        if layer.kind.name == "deconv" and layer.options[STRIDE] == (2, 2) and layer.options[PAD] == "same":
            return [write(layer, STRIDE, "s1")]
    return []


def extra_pool(model: Autoencoder, _: None) -> Edits:
    last = written(model.encoder)[-1]
    return [] if model.mirrored or not is_map(last.out_shape) else [after(last, "maxpool 2")]


def output_channels(model: Autoencoder, _: None) -> Edits:
    output = output_layer(model)
    if output not in decoder_lines(model) or output is None:
        return []
    return [write(output, CHANNELS, "3" if model.input.shape[0] == 1 else "1")]


def channels_last(model: Autoencoder, _: None) -> Edits:
    channels, height, width = model.input.shape
    return [Edit(model.input.span, text((height, width, channels)))]


def wrong_reshape(model: Autoencoder, factor: int) -> Edits:
    for layer in decoder_lines(model):
        if layer.kind.name == "reshape":
            channels, height, width = layer.out_shape
            return [Edit(layer.spans["shape"], text((channels, height + factor, width + factor)))]
    return []


def wrong_assertion(model: Autoencoder, change: int) -> Edits:
    if model.bottleneck.form != "bare":
        return []
    shape = (model.code_shape[0] * change, *model.code_shape[1:])
    return [Edit(model.bottleneck.span, f"bottleneck {text(shape)}")]


def kernel_beyond_map(model: Autoencoder, _: None) -> Edits:
    for layer in reversed(convolutions(written(model.encoder))):
        size = max(layer.in_shape[1:]) * 2 + 1
        return [write(layer, KERNEL, f"k{size}"), write(layer, PAD, "pad=valid")]
    return []


def odd_groups(model: Autoencoder, groups: int) -> Edits:
    layers = [layer for layer in hidden(model) if layer.kind.name == "conv" and layer.in_shape[0] % groups]
    return [write(layers[-1], CHANNEL_GROUPS, f"g{groups}")] if layers else []


def uneven_kernel(model: Autoencoder, where: str) -> Edits:
    """Use kernel 3 with stride 2 in a transposed convolution: the last one, at the output, or an earlier one."""
    lines = decoder_lines(model)
    layers = [layer for layer in strided(lines) if layer.kind.name == "deconv" and layer.options[PAD] == "same"]
    last = bool(layers) and layers[-1] is lines[-1]
    if where == "last":
        return [write(layers[-1], KERNEL, "k3")] if last else []
    inner = layers[:-1] if last else layers
    return [write(inner[-1], KERNEL, "k3")] if inner and inner[-1].options[KERNEL] == (4, 4) else []


def uncovered(model: Autoencoder, where: str) -> Edits:
    layers = [layer for layer in strided(decoder_lines(model)) if layer.kind.name == "deconv"]
    layers = [layer for layer in layers if layer.options[PAD] == "same"]
    return [write(layers[-1 if where == "last" else 0], KERNEL, "k1")] if layers else []


def unread(model: Autoencoder, _: None) -> Edits:
    """Move the stride to a 1x1 convolution, which then reads a quarter of its map."""
    layers = [layer for layer in strided(written(model.encoder)) if layer.options[PAD] == "same"]
    return [write(layers[-1], KERNEL, "k1")] if layers else []


def pointwise(model: Autoencoder, _: None) -> Edits:
    """Use 1x1 kernels in both parts, so that only pools combine pixels."""
    layers = [layer for layer in hidden(model) if layer.kind.name == "conv"]
    if has_dense(model) or any(strided([layer]) for layer in layers):
        return []
    return on_every([layer for layer in layers if layer in written(model.encoder)], KERNEL, "k1")


def collapsed(model: Autoencoder, _: None) -> Edits:
    """Halve the map until one pixel is left, and add more convolutions."""
    last = written(model.encoder)[-1]
    if not model.mirrored or not is_map(last.out_shape):
        return []
    count, channels = max(last.out_shape[1:]).bit_length(), last.out_shape[0]
    return [after(last, f"conv {channels} k4 s2 relu x{count}; conv {channels} k3 relu")]


def channels_of_data(model: Autoencoder, _: None) -> Edits:
    """Declare colour for a grey set."""
    if model.input.shape[0] != 1 or not model.data or model.data[0].name not in ("mnist", "fashion_mnist", "digits"):
        return []
    colour = Edit(model.input.span, text((3, *model.input.shape[1:])))
    output = output_layer(model)
    if output is not None and output in decoder_lines(model):
        return [colour, write(output, CHANNELS, "3")]
    return [colour] if model.mirrored else []


LANGUAGE = [
    operator(
        "misspelt layer", "language", "unknown-layer", misspelt_layer, strengths={"mild": "cnov", "strong": "conv2d"}
    ),
    operator(
        "misspelt option",
        "language",
        "unknown-option",
        misspelt_option,
        strengths={"mild": "dropuot=0.05", "strong": "initt=he"},
    ),
    operator(
        "misspelt activation",
        "language",
        "unknown-option unknown-name unknown-value unexpected-value",
        misspelt_activation,
        strengths={"mild": "rleu", "strong": "ReLU"},
    ),
    operator(
        "misspelt setting",
        "language",
        "unknown-setting",
        misspelt_setting,
        strengths={"mild": "epoch", "strong": "optimiser"},
    ),
    operator("missing brace", "language", "unbalanced-braces", missing_brace, fixable=False),
]

SHAPES = [
    operator(
        "odd size",
        "shapes",
        "output-shape",
        other_size,
        breaks=returns_other_size,
        strengths={"mild": (2, 2), "strong": (-1, -1), "fatal": (-3, 0)},
    ),
    operator("missing upsampling", "shapes", "output-shape", missing_upsampling, breaks=returns_other_size),
    operator("one pool too many", "shapes", "output-shape code-shape-mismatch", extra_pool, breaks=returns_other_size),
    operator("wrong channels at the output", "shapes", "channel-mismatch", output_channels),
    operator("channels last", "shapes", "channels-last", channels_last),
    operator("wrong reshape", "shapes", "reshape-mismatch", wrong_reshape, strengths={"mild": 1, "strong": 2}),
    operator(
        "wrong asserted code",
        "shapes",
        "code-shape-mismatch",
        wrong_assertion,
        strengths={"mild": 2, "strong": 4},
        fixable=False,
    ),
    operator("kernel larger than the map", "shapes", "kernel-too-large", kernel_beyond_map, fixable=False),
    operator(
        "groups that do not divide",
        "shapes",
        "groups-do-not-divide",
        odd_groups,
        strengths={"mild": 3, "strong": 7},
        fixable=False,
    ),
    operator(
        "checkerboard kernel",
        "shapes",
        "checkerboard-kernel",
        uneven_kernel,
        strengths={"mild": "inner", "strong": "last"},
        harmless="mild",
    ),
    operator(
        "uncovered output",
        "shapes",
        "uncovered-output",
        uncovered,
        strengths={"mild": "first", "strong": "last"},
    ),
    operator("unread pixels", "shapes", "unread-border uncovered-output", unread, also="receptive-field-small"),
    operator("receptive field", "shapes", "receptive-field-small", pointwise, fixable=False, trained=True),
    operator("collapsed map", "shapes", "collapsed-map", collapsed, also="channel-pinch", fixable=False),
    operator("channels of the data", "data", "data-channels", channels_of_data, also="unused-allowance"),
]
