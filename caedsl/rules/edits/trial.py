"""Trial of a change, so that a rule proposes only changes that fit: on one line, or in the text, resolved again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from caedsl.diagnostics.edits import apply_edits, part_removal, removal
from caedsl.diagnostics.finding import Edit
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.compiling import CompiledSpec, compiled
from caedsl.rules.engine.cures import LEFTOVERS
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import closing, opening
from caedsl.syntax.tree import Statement, WrittenWord
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Option

_TOLERATED = (*LEFTOVERS, "setting-without-effect")
"""Findings of the compiler that a change may cause without being wrong: what it made superfluous can be removed."""


def write(layer: Layer, option: Option, text: str) -> Edit:
    """Write ``text`` in place of an option, or at the end of the layer's line if the option is not written."""
    span = layer.spans.get(option.name)
    if span is not None:
        return Edit(span, text)
    return Edit(Span(layer.span.end, layer.span.end), f" {text}")


def drop(model: Autoencoder, span: Span) -> Edit:
    """Remove an option and the space before it."""
    return part_removal(model.source.text, span)


def drop_lines(model: Autoencoder, one: Span, other: Span) -> tuple[Edit, ...]:
    """Remove two lines of which the first comes first, and keep a comment or a brace between them."""
    text = model.source.text
    if text[one.end : other.start].strip(" \t\r\n;"):
        return removal(text, one), removal(text, other)
    return (removal(text, one.to(other)),)


def without_braces(model: Autoencoder, statement: Statement) -> tuple[Edit, Edit]:
    """Remove the head and the braces of a block, and keep its lines."""
    text = model.source.text
    first, last = opening(text, statement) + 1, closing(text, statement)
    return removal(text, Span(statement.span.start, first)), Edit(Span(len(text[:last].rstrip()), last + 1), "")


def default_place(model: Autoencoder, layer: Layer, option: Option) -> Span | None:
    """Return where the layer's ``defaults`` have an option of the form ``name=value``, or None."""
    place = None
    for statement in compiled(model.source.text, model.source.path).spec.statements:
        if statement.span.start > layer.span.start:
            break
        kind, *items = statement.items if statement.head.text == "defaults" else (None,)
        if isinstance(kind, WrittenWord) and kind.text == layer.kind.name:
            written = (
                item.span for item in items if isinstance(item, tree.WrittenOption) and item.name.text == option.name
            )
            place = next(written, place)
    return place


def same_size(model: Autoencoder, line: Layer, options: Mapping[Option, Any]) -> tuple[Layer, ...]:
    """Return every layer of a line with other options; empty if they do not fit or change the shape of an output.

    This is much faster than ``tried``, because no other layer can differ.
    """
    changed = []
    for layer in _layers_of(model, line):
        fit = layer.kind.fit_again(layer.options.changed(options), layer.in_shape)
        if isinstance(fit, Misfit) or fit.out_shape != layer.out_shape:
            return ()
        changed.append(replace(layer, options=fit.options))
    return tuple(changed)


def _layers_of(model: Autoencoder, line: Layer) -> Iterator[Layer]:
    """Yield the layers of a line: one, or several copies."""
    return (layer for _, layer in model.layers() if layer.span == line.span and layer.mirrors is line.mirrors)


def tried(model: Autoencoder, edits: Sequence[Edit]) -> Autoencoder | None:
    """Return the model after ``edits``, or None if the compiler then reports a new error."""
    text = model.source.text
    changed = compiled(apply_edits(text, edits), model.source.path)
    if changed.model is None or not changed.model.complete:
        return None
    return changed.model if _faults(changed) <= _faults(compiled(text, model.source.path)) else None


def _faults(found: CompiledSpec) -> int:
    return sum(finding.name not in _TOLERATED for finding in found.findings)
