"""Faults of what layers and code can hold."""

from collections.abc import Callable, Sequence

from benchmarks.faults.edits import (
    Edits,
    convolutions,
    decoder_block,
    passed,
    written,
)
from benchmarks.faults.operator_type import operator
from caedsl.diagnostics.finding import Edit, Severity
from caedsl.facts.code import kept_from_copying
from caedsl.facts.outputs import output_layer
from caedsl.facts.presets import as_published
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements, is_map


def _pinch(part: Sequence[Layer], channels: int, beside: Callable[[Layer], bool]) -> Edits:
    """Narrow a rectified layer between two convolutions of its part; ``beside`` filters the later one."""
    for before, layer, behind in zip(part, part[1:], part[2:], strict=False):
        rectified = layer.activation.name == "relu" and layer.kind.name == "conv"
        if rectified and before.out_shape[0] >= 4 * channels and layer.out_shape[0] > channels and beside(behind):
            return [write(layer, CHANNELS, str(channels))]
    return []


def pinched_encoder(model: Autoencoder, channels: int) -> Edits:
    """Narrow a layer between two others, the later of which may be the code."""
    code = [*model.bottleneck.layers] if model.bottleneck.form == "conv" else []
    return _pinch([*convolutions(passed(model.encoder)), *code], channels, lambda behind: behind.out_shape[0] >= 4)


def pinched_decoder(model: Autoencoder, channels: int) -> Edits:
    """Narrow a layer between two hidden ones."""
    if model.mirrored:
        return []
    output = output_layer(model)
    return _pinch(convolutions(passed(model.decoder)), channels, lambda behind: behind is not output)


def pinched_before_output(model: Autoencoder, channels: int) -> Edits:
    """Narrow the layer before the output."""
    if model.mirrored:
        return []
    output = output_layer(model)
    return _pinch(convolutions(passed(model.decoder)), channels, lambda behind: behind is output)


def tiny_code(model: Autoencoder, numbers: int) -> Edits:
    """Write a code that is too small, judged by the principal components of the data."""
    known = as_published(model)
    measured = known is not None and bool(known.unexplained)
    return [Edit(model.bottleneck.layers[-1].spans["units"], str(numbers))] if measured and _is_dense(model) else []


def tiny_code_unmeasured(model: Autoencoder, numbers: int) -> Edits:
    """Write such a code for images that nobody has measured."""
    known = as_published(model)
    measured = known is not None and bool(known.unexplained)
    return [Edit(model.bottleneck.layers[-1].spans["units"], str(numbers))] if not measured and _is_dense(model) else []


def _is_dense(model: Autoencoder) -> bool:
    return model.bottleneck.form == "dense"


def large_code(model: Autoencoder, times: float) -> Edits:
    """Write a code with as many numbers as the image, or several times as many."""
    whole = elements(model.input.shape)
    if kept_from_copying(model) or model.bottleneck.form == "bare":
        return []
    if _is_dense(model):
        place = model.bottleneck.layers[-1].spans["units"]
        return [Edit(place, str(int(whole * times)))] if whole <= 4_000 else []
    room = elements(model.code_shape[1:])
    return [Edit(model.bottleneck.layers[-1].spans["channels"], str(int(whole * times) // room))]


def no_reduction(model: Autoencoder, _: None) -> Edits:
    """Remove strides and pools, and use the encoder's output as the code."""
    if kept_from_copying(model) or not model.mirrored or _is_dense(model):
        return []
    pools = [layer for layer in written(model.encoder) if layer.kind.name in ("maxpool", "avgpool")]
    if not pools or len({model.source.position(layer.span.start).line for layer in pools}) < len(pools):
        return []
    return [*(Edit(layer.span, "") for layer in pools), Edit(model.bottleneck.span, "bottleneck")]


def bare_decoder(model: Autoencoder, _: None) -> Edits:
    """Replace the decoder by one upsampling and one convolution."""
    output = output_layer(model)
    if not is_map(model.code_shape) or output is None or "decoder" not in model.places:
        return []
    channels, height, width = model.input.shape
    activation = output.activation.name
    return [Edit(decoder_block(model), f"decoder {{ upsample to {height}x{width}; conv {channels} {activation} }}")]


CAPACITY = [
    operator(
        "pinched encoder",
        "capacity",
        "channel-pinch",
        pinched_encoder,
        strengths={"mild": 2, "strong": 1},
        trained=True,
    ),
    operator(
        "pinched decoder",
        "capacity",
        "channel-pinch",
        pinched_decoder,
        strengths={"mild": 2, "strong": 1},
        trained=True,
    ),
    operator(
        "pinched before the output",
        "capacity",
        "channel-pinch",
        pinched_before_output,
        strengths={"mild": 2, "strong": 1},
        trained=True,
    ),
    operator(
        "code too small",
        "capacity",
        "code-too-small",
        tiny_code,
        strengths={"fatal": 1},
        trained=True,
    ),
    operator(
        "code too small for unmeasured images",
        "capacity",
        "code-too-small compression-extreme",
        tiny_code_unmeasured,
        strengths={"fatal": 1},
        trained=True,
        visible=False,
    ),
    operator(
        "code too large",
        "capacity",
        "overcomplete",
        large_code,
        also="channel-pinch",
        strengths={"mild": 1, "strong": 2},
    ),
    operator("no reduction", "capacity", "no-bottleneck", no_reduction, also="receptive-field-small", fixable=False),
    operator(
        "decoder without capacity",
        "capacity",
        "unbalanced-parts",
        bare_decoder,
        also="unused-default",
        least=Severity.INFO,
        fixable=False,
        trained=True,
    ),
]
