"""Edits that operators are made of: small changes of a spec, placed by the spans of its resolved model."""

import re
from collections.abc import Iterable, Sequence

from caedsl.diagnostics.finding import Edit
from caedsl.facts.outputs import output_layer
from caedsl.facts.sizes import leaves
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import is_map
from caedsl.vocabulary.window import STRIDE

Edits = list[Edit]


def written(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers written in the spec, with groups flattened and repeated lines once."""
    lines: dict[Span, Layer] = {}
    for layer in leaves(layers):
        if layer.mirrors is None:
            lines.setdefault(layer.span, layer)
    return list(lines.values())


def passed(layers: Iterable[Layer]) -> list[Layer]:
    """Return these layers without those inside a residual, which its shortcut bypasses."""
    around = {
        inner for layer in layers for group in layer.walk() if group.kind.name == "residual" for inner in group.walk()
    }
    return [layer for layer in written(layers) if layer not in around]


def decoder_lines(model: Autoencoder) -> list[Layer]:
    """Return the layers of an explicit decoder."""
    return [] if model.mirrored else written(model.decoder)


def hidden(model: Autoencoder) -> list[Layer]:
    """Return the convolutions and dense layers in the spec that are neither code nor output."""
    weighted = [layer for layer in (*written(model.encoder), *decoder_lines(model)) if INIT in layer.options]
    return [layer for layer in weighted if layer is not output_layer(model)]


def convolutions(layers: Iterable[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.kind.name in ("conv", "deconv")]


def strided(layers: Iterable[Layer]) -> list[Layer]:
    return [layer for layer in convolutions(layers) if layer.options[STRIDE] == (2, 2)]


def on_every(layers: Iterable[Layer], option: Option, text: str) -> Edits:
    """Write the same option on every line."""
    return [write(layer, option, text) for layer in layers]


def option_on_output(model: Autoencoder, activation: str) -> Edits:
    """Write another activation at the output of an explicit decoder or a mirror."""
    if model.mirrored:
        span = model.place("decoder")
        plain = re.sub(r"\s+output=\w+", "", model.source.slice(span))
        return [Edit(span, f"{plain} output={activation}")]
    output = output_layer(model)
    return [write(output, ACTIVATION, activation)] if output in written(model.decoder) and output else []


def statement(model: Autoencoder, name: str, text: str) -> Edits:
    """Replace a train setting or top-level statement by ``text``; do nothing if it is not written."""
    span = model.places.get(name)
    return [] if span is None else [Edit(span, text)]


def setting(model: Autoencoder, text: str) -> Edits:
    """Replace a train setting, or add it next to the loss."""
    name = text.split()[0]
    if f"train.{name}" in model.places:
        return statement(model, f"train.{name}", text)
    loss = model.places.get("train.loss")
    return [] if loss is None else [Edit(Span(loss.end, loss.end), f"; {text}")]


def after(layer: Layer, text: str) -> Edit:
    """Insert another layer after ``layer``."""
    return Edit(Span(layer.span.end, layer.span.end), f"; {text}")


def decoder_block(model: Autoencoder) -> Span:
    """Return the whole decoder, from its word to its closing brace."""
    start = model.places["decoder"].start
    if model.mirrored:
        return model.places["decoder"]
    text, depth = model.source.text, 0
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if text[end] == "}" and depth == 0:
            return Span(start, end + 1)
    raise AssertionError("the decoder is not closed")


def value_range(model: Autoencoder, text: str) -> Edits:
    """Declare another range of the pixels."""
    span = model.input.range_span
    if span == model.input.span:
        return [Edit(Span(span.end, span.end), f" {text}")]
    return [Edit(span, text)]


def losses(model: Autoencoder) -> Sequence[str]:
    return [term.name for term in model.train.loss.terms] if model.train else []


def is_normalised(model: Autoencoder) -> bool:
    return any(layer.norm is not None for layer in hidden(model))


def has_dense(model: Autoencoder) -> bool:
    return any(not is_map(layer.out_shape) for _, layer in model.layers())
