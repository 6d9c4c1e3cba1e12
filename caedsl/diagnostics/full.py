"""The frame: a finding with the lines it refers to, its arithmetic, and what to write instead."""

from collections.abc import Sequence

from caedsl.diagnostics.change import draw_change
from caedsl.diagnostics.colour import SEVERITY_STYLES, OutputStyle, paint
from caedsl.diagnostics.excerpt import ELISION, FrameRow, excerpt, mark
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Report, Severity, in_order
from caedsl.diagnostics.text import one_line, wrap
from caedsl.source import Source

_HOW_TO_APPLY = {
    Applicability.SAFE: ("safe fix", "--fix"),
    Applicability.UNSAFE: ("unsafe fix", "--fix --unsafe-fixes"),
    Applicability.DISPLAY: ("suggestion", "apply it by hand"),
}
_BAR_STYLES = {"|": OutputStyle.FRAME, "-": OutputStyle.REMOVED, "+": OutputStyle.ADDED}
_NARROWEST = 40


def render_full(reports: Sequence[Report], colour: bool, width: int = 100) -> str:
    """Return a frame for every finding, separated by empty lines; empty if there are none.

    For each source, ``INFO`` findings come after the errors and warnings. ``width`` is the number of columns to stay
    within: long lines of source are cut there, notes and help wrapped.
    """
    pairs = sorted(in_order(reports), key=lambda pair: (pair[0].path, pair[1].severity is Severity.INFO))
    frames = [_frame(source, finding, colour, max(width, _NARROWEST)) for source, finding in pairs]
    return "\n".join(frames)


def _frame(source: Source, finding: Finding, colour: bool, width: int) -> str:
    style = SEVERITY_STYLES[finding.severity]
    marks = [mark(source, label, "-", OutputStyle.FRAME) for label in finding.related]
    marks.append(mark(source, finding.primary, "^", style))
    edits = finding.fix.edits if finding.fix else ()
    last_line = max([*(mark.last for mark in marks), *(source.position(edit.span.end).line for edit in edits)])
    gutter = len(str(last_line))
    room = width - gutter - len(" | ")

    position = source.position(finding.primary.span.start)
    name = f"{finding.severity.value}[{finding.rule}]"
    headline = paint(f": {one_line(finding.message)}", OutputStyle.HEADLINE, colour)
    arrow = paint(" " * gutter + "-->", OutputStyle.FRAME, colour)
    place = f"{one_line(source.path)}:{position.line}:{position.column}"
    lines = [paint(name, style, colour) + headline, f"{arrow} {place}"]
    lines += _bordered(excerpt(source, marks, room, colour), gutter, colour, open_below=not finding.notes)
    for note in finding.notes:
        lines += _remark(" " * gutter + " = ", "note", OutputStyle.HEADLINE, note, width, colour)
    if finding.advice:
        lines += _remark("", "help", OutputStyle.HELP, finding.advice, width, colour)
    if finding.fix:
        lines += _bordered(draw_change(source, edits, room, colour), gutter, colour)
        lines += _how_to_apply(finding.fix, finding.advice, gutter, width, colour)
    return "\n".join(lines) + "\n"


def _bordered(rows: Sequence[FrameRow], gutter: int, colour: bool, open_below: bool = False) -> list[str]:
    """Return rows with their gutter between two empty rows; ``open_below`` omits the lower one."""
    border = [FrameRow("", "")]
    return [_gutter(row, gutter, colour) for row in [*border, *rows, *([] if open_below else border)]]


def _gutter(row: FrameRow, gutter: int, colour: bool) -> str:
    if row.gutter == ELISION:
        return f"{paint(ELISION, OutputStyle.FRAME, colour)}{' ' * gutter}{row.body}".rstrip()
    number = paint(f"{row.gutter:>{gutter}} ", OutputStyle.FRAME, colour)
    bar = paint(row.bar, _BAR_STYLES[row.bar], colour)
    return f"{number}{bar} {row.body}".rstrip()


def _remark(lead: str, word: str, style: OutputStyle, text: str, width: int, colour: bool) -> list[str]:
    """Return ``word: text`` after ``lead``, wrapped with its lines aligned."""
    indent = len(lead) + len(word) + len(": ")
    first, *others = wrap(text, width - indent)
    head = paint(lead, OutputStyle.FRAME, colour) + paint(word, style, colour)
    return [f"{head}: {first}", *(f"{' ' * indent}{line}".rstrip() for line in others)]


def _how_to_apply(fix: Fix, advice: str, gutter: int, width: int, colour: bool) -> list[str]:
    kind, how = _HOW_TO_APPLY[fix.applicability]
    text = how if fix.title == advice else f"{fix.title} ({how})"
    return _remark(" " * gutter + " = ", kind, OutputStyle.HEADLINE, text, width, colour)
