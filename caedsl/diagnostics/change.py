"""Lines that a fix changes, before and after."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from caedsl.diagnostics.canvas import Canvas
from caedsl.diagnostics.colour import OutputStyle
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.excerpt import ELISION, FrameRow
from caedsl.diagnostics.finding import Edit
from caedsl.diagnostics.text import lay_out
from caedsl.source import Source, Span

_LONGEST = 8  # lines of a hunk shown on either side before the rest is left out
_LINE_ENDING = re.compile(r"\r\n|\n|\r")
_WORD = re.compile(r"\w+")


class Hunk(NamedTuple):
    """Lines ``before``, starting at line ``number``, which become the lines ``after``."""

    number: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def hunks(source: Source, edits: Sequence[Edit]) -> list[Hunk]:
    """Return what the sorted ``edits`` do to whole lines; lines that stay as they are are omitted."""
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and source.position(edit.span.start).line <= source.position(groups[-1][-1].span.end).line:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    found = [_hunk(source, group) for group in groups]
    return [hunk for hunk in found if hunk.before or hunk.after]


def _hunk(source: Source, edits: Sequence[Edit]) -> Hunk:
    first, last = source.position(edits[0].span.start), source.position(edits[-1].span.end)
    start = edits[0].span.start - first.column + 1
    end = max(edits[-1].span.end, edits[-1].span.end - last.column + 1 + len(source.line_text(last.line)))
    inside = [Edit(Span(edit.span.start - start, edit.span.end - start), edit.text) for edit in edits]
    region = source.text[start:end]
    before, after = _LINE_ENDING.split(region), _LINE_ENDING.split(apply_edits(region, inside))
    number = first.line
    while before and after and before[0] == after[0]:
        del before[0], after[0]
        number += 1
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return Hunk(number, tuple(before), tuple(after))


def draw_change(source: Source, edits: Sequence[Edit], room: int, colour: bool) -> list[FrameRow]:
    """Return the change as rows of a frame, with ``-`` before removed lines and ``+`` before added lines."""
    rows: list[FrameRow] = []
    for hunk in hunks(source, edits):
        if rows:
            rows.append(FrameRow(ELISION, ""))
        if hunk.number > 1 and not (hunk.before and hunk.after):
            above = source.line_text(hunk.number - 1)
            rows.append(FrameRow(str(hunk.number - 1), _draw(above, above, OutputStyle.PLAIN, room, colour)))
        paired = len(hunk.before) == len(hunk.after)
        rows += _side(hunk.number, hunk.before, hunk.after if paired else None, "-", room, colour)
        rows += _side(hunk.number, hunk.after, hunk.before if paired else None, "+", room, colour)
    return rows


def _side(
    number: int, lines: Sequence[str], others: Sequence[str] | None, sign: str, room: int, colour: bool
) -> list[FrameRow]:
    style = OutputStyle.REMOVED if sign == "-" else OutputStyle.ADDED
    rows = [
        FrameRow(str(number + place), _draw(line, others[place] if others else "", style, room, colour), sign)
        for place, line in enumerate(lines[:_LONGEST])
    ]
    return rows if len(lines) <= _LONGEST else [*rows, FrameRow(ELISION, "")]


def _draw(text: str, other: str, style: OutputStyle, room: int, colour: bool) -> str:
    """Return a line, scrolled to the words that ``other`` does not have, which are drawn in ``style``."""
    first = _shared(text, other)
    last = len(text) - _shared(text[first:][::-1], other[first:][::-1])
    if first < last:
        first, last = _whole_words(text, first, last)
    line = lay_out(text)
    start, end = line.column(first), line.column(last)
    scroll = line.scroll(start, end, room)
    canvas = Canvas()
    canvas.put_line(0, 0, line, scroll, room)
    canvas.restyle(0, start - scroll, end - scroll, style)
    return canvas.lines(colour)[0]


def _whole_words(text: str, first: int, last: int) -> tuple[int, int]:
    """Return the range ``first..last``, widened where it begins or ends inside a word."""
    if _WORD.match(text, first) and (before := _WORD.match(text[:first][::-1])):
        first -= before.end()
    if _WORD.match(text, last - 1) and (after := _WORD.match(text, last)):
        last = after.end()
    return first, last


def _shared(one: str, other: str) -> int:
    """Return how many leading characters both texts share; by bisection, since a line may be as long as the file."""
    lengths = range(min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length]) - 1
