"""Making a decoder return to the input's size: changes to one line or two, each tried before it is offered.

Sizes are walked again with changed options, which is quick; of the changes that end at the input's size the least is taken
that passes the resolutions the encoder had, and the changed text is resolved to be sure.
"""

from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Applicability, Edit, Fix, Severity
from caedsl.facts.sizes import Size, decoder_path, encoder_path, leaves, missing_resolutions, size
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.size_changes import Change, changes, follow, spelled
from caedsl.rules.edits.trial import drop, tried, write
from caedsl.rules.engine.catalogue import checks
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR, TO
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import is_map
from caedsl.vocabulary.window import OUTPUT_PAD

_MOST_TRIED = 20


class Sizes(NamedTuple):
    """The heights and widths that encoder and decoder pass, from the input to the output."""

    down: tuple[Size, ...]
    up: tuple[Size, ...]


def size_fix(model: Autoencoder) -> Fix | None:
    """The best change after which the decoder returns the input's height and width; None where none of them does."""
    if model.mirrored:
        return None
    found = []
    for order, change in enumerate(changes(model)):
        sizes = _walk(model, change)
        if sizes is not None and sizes.up[-1] == size(model.input.shape):
            unmatched = len(missing_resolutions(sizes.down, sizes.up))
            found.append(((change.lines, unmatched, order), change))
    troubles = _troubles(model) if found else frozenset()
    for _, change in sorted(found, key=lambda pair: pair[0])[:_MOST_TRIED]:
        edits = _edits(model, change)
        changed = tried(model, edits)
        returned = changed is not None and changed.out_shape[1:] == changed.input.shape[1:]
        if changed is not None and returned and _troubles(changed) <= troubles:
            return Fix(change.title, edits, Applicability.UNSAFE)
    return None


def _troubles(model: Autoencoder) -> frozenset[str]:
    """The rules that warn of a model: a change that makes another one speak is no repair."""
    found = (
        finding
        for entry in checks()
        if entry.check and entry.rule.name != "output-shape"
        for finding in entry.check(model)
    )
    return frozenset(finding.name for finding in found if finding.severity is not Severity.INFO)


def _walk(model: Autoencoder, change: Change) -> Sizes | None:
    """The sizes after a change; None where a layer no longer fits."""
    down = follow(model.input.shape, encoder_path(model), change)
    if down is None:
        return None
    before_code = [shape for shape in down if is_map(shape)]
    # A dense bottleneck is undone by the compiler, back to the map that it came from.
    start = before_code[-1] if model.bottleneck.inverse else down[-1]
    up = follow(start, tuple(leaves(model.decoder)), change)
    if up is None or not is_map(up[-1]):
        return None
    added = (size(model.input.shape),) if change.added else ()
    return Sizes(tuple(map(size, before_code)), (*(size(shape) for shape in up if is_map(shape)), *added))


def _edits(model: Autoencoder, change: Change) -> tuple[Edit, ...]:
    lines = {layer.span: layer for layer in (*encoder_path(model), *decoder_path(model)) if layer.mirrors is None}
    edits = [
        edit
        for span, options in change.options.items()
        for option, value in options.items()
        if (edit := _edit(model, lines[span], option, value)) is not None
    ]
    if change.added:
        edits.append(_line_added(model, change.added))
    if change.without is not None:
        edits.append(line_removed(model, change.without))
    return tuple(sorted(edits, key=lambda edit: edit.span))


def _edit(model: Autoencoder, layer: Layer, option: Option, value: Any) -> Edit | None:
    idle = value is None or (option is OUTPUT_PAD and not any(value) and option.name not in layer.spans)
    if idle:
        return None
    if value is False:
        return drop(model, layer.spans[option.name])
    place = FACTOR if option is TO and TO.name not in layer.spans else option
    return write(layer, place, spelled(layer, option, value))


def _line_added(model: Autoencoder, line: str) -> Edit:
    """A line before the last one of the decoder, in the layout that it has."""
    start = model.decoder[-1].span.start
    text = model.source.text
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    gap = "; " if lead.strip() else f"\n{lead}"
    return Edit(Span(start, start), f"{line}{gap}")


def line_removed(model: Autoencoder, span: Span) -> Edit:
    """Removes a statement with what separates it from the next one."""
    text = model.source.text
    start, end = span
    while end < len(text) and text[end] in " \t;":
        end += 1
    if end < len(text) and text[end] in "\r\n":
        while start and text[start - 1] in " \t":
            start -= 1
        end += 2 if text.startswith("\r\n", end) else 1
    return Edit(Span(start, end), "")
