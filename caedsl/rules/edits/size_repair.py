"""Repair of the decoder's output size: changes to one or two lines, each tried before it is offered.

Sizes are recomputed with changed options, which is fast. Among the changes that end at the input's size, the smallest
one that passes through the encoder's resolutions is chosen, and the changed text is resolved to verify it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from caedsl.diagnostics.edits import apply_edits, removals
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.facts.sizes import decoder_path, encoder_path, leaves, missing_resolutions, size
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.reading.lines import TIMES
from caedsl.rules.edits.size_changes import changes, spelled
from caedsl.rules.edits.size_walk import Changed, Fits, SizeChange
from caedsl.rules.edits.trial import drop, tried, write
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR, TO
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Sizes, is_map
from caedsl.vocabulary.window import OUTPUT_PAD


class Resolutions(NamedTuple):
    """Spatial sizes of the maps, ``down`` from the input to the code and ``up`` from there to the output."""

    down: tuple[Sizes, ...]
    up: tuple[Sizes, ...]


def size_fixes(model: Autoencoder) -> Iterator[Fix]:
    """Yield changes after which the decoder returns the target's size, those of the fewest lines first."""
    if model.mirrored or len(model.out_shape) != len(model.target.shape):
        return
    fits, found = Fits(), []
    for order, change in enumerate(changes(model, fits)):
        sizes = _resolutions(model, change, fits)
        if sizes is not None and sizes.up[-1] == size(model.target.shape):
            unmatched = len(missing_resolutions(sizes.down, sizes.up))
            found.append(((change.lines, unmatched, order), change))
    for _, change in sorted(found, key=lambda pair: pair[0]):
        edits = _edits(model, change)
        changed = tried(model, edits)
        if changed is not None and changed.out_shape[1:] == changed.target.shape[1:]:
            yield Fix(change.title, edits, Applicability.UNSAFE)


def _resolutions(model: Autoencoder, change: SizeChange, fits: Fits) -> Resolutions | None:
    """Return the sizes of all maps after a change, or None if a layer no longer fits."""
    down = fits.follow(model.input.shape, encoder_path(model), change)
    if down is None:
        return None
    before_code = [shape for shape in down if is_map(shape)]
    # The inverse of a dense bottleneck returns to the map before it.
    start = before_code[-1] if model.bottleneck.inverse else down[-1]
    up = fits.follow(start, tuple(leaves(model.decoder)), change)
    if up is None or not is_map(up[-1]):
        return None
    added = (size(model.target.shape),) if change.added else ()
    return Resolutions(tuple(map(size, before_code)), (*(size(shape) for shape in up if is_map(shape)), *added))


def _edits(model: Autoencoder, change: SizeChange) -> tuple[Edit, ...]:
    # A code of several layers is one line, and its changes are those of the first layer.
    layers = reversed((*encoder_path(model), *decoder_path(model)))
    lines = {layer.span: layer for layer in layers if layer.mirrors is None}
    edits = [edit for span, changed in change.options.items() for edit in _option_edits(model, lines[span], changed)]
    edits += [_copies_edit(model, lines[span], copies) for span, copies in change.copies.items()]
    if change.added:
        edits.append(_line_added(model, change.added))
    edits += removals(model.source.text, change.without)
    return tuple(sorted(edits, key=lambda edit: edit.span))


def _option_edits(model: Autoencoder, layer: Layer, changed: Changed) -> list[Edit]:
    edits = (_edit(model, layer, option, value) for option, value in changed.items())
    return [edit for edit in edits if edit is not None]


def _copies_edit(model: Autoencoder, layer: Layer, copies: Sequence[Changed]) -> Edit:
    """Write another number of copies, or a line for each copy if they differ."""
    times = layer.spans[TIMES.name]
    if not any(copies):
        return Edit(times, f"x{len(copies)}") if len(copies) > 1 else drop(model, times)
    alone = drop(model, times)
    written = []
    for changed in copies:
        edits = sorted((*_option_edits(model, layer, changed), alone), key=lambda edit: edit.span)
        start = layer.span.start
        moved = [Edit(Span(edit.span.start - start, edit.span.end - start), edit.text) for edit in edits]
        written.append(apply_edits(model.source.slice(layer.span), moved))
    return Edit(layer.span, _gap(model, layer.span.start).join(written))


def _edit(model: Autoencoder, layer: Layer, option: Option, value: Any) -> Edit | None:
    idle = value is None or (option is OUTPUT_PAD and not any(value) and option.name not in layer.spans)
    if idle:
        return None
    if value is False:
        return drop(model, layer.spans[option.name])
    place = FACTOR if option is TO and TO.name not in layer.spans else option
    return write(layer, place, spelled(layer, option, value))


def _line_added(model: Autoencoder, line: str) -> Edit:
    """Write a line before the last one of the decoder."""
    start = model.decoder[-1].span.start
    return Edit(Span(start, start), f"{line}{_gap(model, start)}")


def _gap(model: Autoencoder, start: int) -> str:
    """Return the separator between two statements, in the layout of the line with the statement at ``start``."""
    text = model.source.text
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    return "; " if lead.strip() else f"\n{lead}"
