"""One line per finding: for editors, ``grep`` and people who know the rules."""

from collections.abc import Sequence

from caedsl.diagnostics.finding import Finding, Report, in_order
from caedsl.diagnostics.text import one_line, width
from caedsl.source import Source

_ROOM_FOR_HELP = 200


def render_concise(reports: Sequence[Report]) -> str:
    """Return a line per finding: ``path:line:column: error[CAE201 output-shape] headline: primary label (help: ...)``.

    The help is omitted if the line would be longer than 200 columns.
    """
    return "".join(f"{_line(source, finding)}\n" for source, finding in in_order(reports))


def _line(source: Source, finding: Finding) -> str:
    position = source.position(finding.primary.span.start)
    place = f"{one_line(source.path)}:{position.line}:{position.column}"
    line = f"{place}: {finding.severity.value}[{finding.rule}] {one_line(finding.summary)}"
    advice = f" (help: {one_line(finding.advice)})"
    return line + advice if finding.advice and width(line + advice) <= _ROOM_FOR_HELP else line
