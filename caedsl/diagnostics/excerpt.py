"""Excerpts of a source: the lines of a finding, with its spans underlined and labelled.

A span inside one line is underlined. A span of several lines gets a bar at the left, from its first line to a sign
under its last character. Lines that no label needs are omitted.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caedsl.diagnostics.canvas import Canvas
from caedsl.diagnostics.colour import OutputStyle
from caedsl.diagnostics.finding import Label
from caedsl.diagnostics.text import LaidOutLine, lay_out, width, wrap
from caedsl.source import Source

ELISION = "..."

_LABEL_ROOM = 40  # a label with fewer columns beside its underline than it needs is wrapped only from this room on
_WHOLE_BLOCK = 6  # a span of up to this many lines is shown whole
_BLOCK_ENDS = 2  # of a longer one, this many lines at either end


class Mark(NamedTuple):
    """Label in lines (from 1) and character indices; ``end`` is exclusive and not before ``start``."""

    first: int
    start: int
    last: int
    end: int
    text: str
    sign: str
    style: OutputStyle


class FrameRow(NamedTuple):
    """Row of a frame: a line number, nothing, or ``ELISION`` (which has no bar), then the bar, then the body."""

    gutter: str
    body: str
    bar: str = "|"


def mark(source: Source, label: Label, sign: str, style: OutputStyle) -> Mark:
    """Convert ``label`` to lines; a line ending at the end of its span is not part of it."""
    end = label.span.end
    while end > label.span.start and source.text[end - 1 : end] in ("\r", "\n"):
        end -= 1
    first, last = source.position(label.span.start), source.position(end)
    return Mark(first.line, first.column - 1, last.line, last.column - 1, label.text, sign, style)


def excerpt(source: Source, marks: Sequence[Mark], room: int, colour: bool) -> list[FrameRow]:
    """Draw the lines that ``marks`` need in ``room`` columns; later marks are drawn over earlier ones."""
    blocks = sorted((mark for mark in marks if mark.first != mark.last), key=lambda mark: (mark.first, -mark.last))
    rows: list[FrameRow] = []
    before = 0
    for number in _shown(marks):
        if before and number > before + 1:
            rows.append(_elided(blocks, number, colour))
        here = [mark for mark in marks if number in (mark.first, mark.last)]
        body = _draw(lay_out(source.line_text(number)), number, here, blocks, room).lines(colour)
        rows += [FrameRow(str(number) if row == 0 else "", text) for row, text in enumerate(body)]
        before = number
    return rows


def _shown(marks: Iterable[Mark]) -> list[int]:
    """Return the numbers of the lines to show; a gap of one line is filled, since its sign would be as long."""
    numbers: set[int] = set()
    for mark in marks:
        lines = range(mark.first, mark.last + 1)
        numbers.update(lines if len(lines) <= _WHOLE_BLOCK else (*lines[:_BLOCK_ENDS], *lines[-_BLOCK_ENDS:]))
    numbers |= {number + 1 for number in numbers if number + 2 in numbers}
    return sorted(numbers)


def _elided(blocks: Sequence[Mark], number: int, colour: bool) -> FrameRow:
    canvas = Canvas()
    canvas.put(0, 0, "")
    for place, block in enumerate(blocks):
        if block.first < number <= block.last:
            canvas.put(0, 2 * place, "|", block.style)
    return FrameRow(ELISION, canvas.lines(colour)[0])


def _draw(line: LaidOutLine, number: int, here: Sequence[Mark], blocks: Sequence[Mark], room: int) -> Canvas:
    """Draw one line of source and everything that is written under it."""
    canvas = Canvas()
    margin = 2 * len(blocks)
    scroll = _scroll(line, number, here, room - margin)
    canvas.put_line(0, margin, line, scroll, room - margin)

    def column(index: int) -> int:
        return margin + max(0, min(line.column(index) - scroll, room - margin))

    _draw_spans(canvas, [DrawnMark(column(m.start), column(m.end), m) for m in here if m.first == m.last], room)
    bars = []
    for place, block in enumerate(blocks):
        top, bottom = 0, None
        if block.last == number:
            bottom = canvas.height
            _close(canvas, 2 * place, max(column(block.end), margin + 1), block, room)
        elif block.first == number and line.begins_at(block.start):
            canvas.put(0, 2 * place, "/", block.style)
            top = 1
        elif block.first == number:
            top = canvas.height + 1
            _stroke(canvas, canvas.height, 2 * place, column(block.start), block)
        if block.first <= number <= block.last:
            bars.append((2 * place, top, bottom, block.style))
    for place, top, bottom, style in bars:
        for row in range(top, canvas.height if bottom is None else bottom + 1):
            if canvas.is_blank(row, place):
                canvas.put(row, place, "|", style)
    return canvas


def _scroll(line: LaidOutLine, number: int, here: Sequence[Mark], room: int) -> int:
    if not here:
        return 0
    focus = here[-1]
    start = focus.start if number == focus.first else focus.end
    end = focus.end if number == focus.last else focus.start
    return line.scroll(line.column(start), line.column(end), room)


def _stroke(canvas: Canvas, row: int, place: int, column: int, block: Mark) -> None:
    canvas.put(row, place + 1, "_" * (column - place - 1) + block.sign, block.style)


def _close(canvas: Canvas, place: int, end: int, block: Mark, room: int) -> None:
    row = canvas.height
    _stroke(canvas, row, place, end - 1, block)
    _write(canvas, row, end + 1, block, room)


class DrawnMark(NamedTuple):
    """Mark inside one line, in the columns of the canvas."""

    start: int
    end: int
    mark: Mark


def _draw_spans(canvas: Canvas, spans: Sequence[DrawnMark], room: int) -> None:
    """Underline ``spans``; the rightmost has its label to its right, the others have theirs below."""
    if not spans:
        return
    for start, end, mark in spans:
        canvas.put(1, start, mark.sign * max(end - start, 1), mark.style)
    labelled = sorted((span for span in spans if span.mark.text), key=lambda span: (span.start, span.end))
    if labelled and all(span.end <= labelled[-1].end for span in spans) and _fits_beside(labelled[-1], room):
        beside = labelled.pop()
        _write(canvas, 1, max(beside.end, beside.start + 1) + 1, beside.mark, room)
    _connect(canvas, canvas.height, labelled)
    while labelled:
        hanging = labelled.pop()
        row = canvas.height
        need = min(width(hanging.mark.text), _LABEL_ROOM)
        _write(canvas, row, min(hanging.start, max(room - need, 0)), hanging.mark, room)
        for below in range(row, canvas.height):
            _connect(canvas, below, labelled)


def _fits_beside(span: DrawnMark, room: int) -> bool:
    return room - span.end - 1 >= min(width(span.mark.text), _LABEL_ROOM)


def _connect(canvas: Canvas, row: int, spans: Iterable[DrawnMark]) -> None:
    for span in spans:
        if canvas.is_blank(row, span.start):
            canvas.put(row, span.start, "|", span.mark.style)


def _write(canvas: Canvas, row: int, column: int, mark: Mark, room: int) -> None:
    """Write a label starting at ``row`` and ``column``, in as many rows as it needs."""
    lines = wrap(mark.text, max(room - column, _LABEL_ROOM // 2)) if mark.text else []
    for below, line in enumerate(lines):
        canvas.put(row + below, column, line, mark.style)
