"""Tables of a comparison of runs for the terminal, CSV, Markdown and LaTeX."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from caedsl.diagnostics.text import counted
from caedsl.diagnostics.text import markdown as in_markdown
from caedsl.evaluation.comparison import Comparison, GroupMean, Metric, RunGroup

PLUS_MINUS = "±"
_BEST = "\0"  # marks the best value of a metric until it is escaped; no other cell has one
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after a line break, [ and * would be its arguments
    "*": "{*}",
    PLUS_MINUS: r"$\pm$",
}


class ComparisonTable(NamedTuple):
    """Table for the terminal; its first column is text."""

    headings: list[str]
    rows: list[list[str]]

    @property
    def width(self) -> int:
        """Width in terminal columns, with two between columns."""
        return sum(max(map(len, cells)) + 2 for cells in zip(self.headings, *self.rows, strict=True)) - 2


def headings(comparison: Comparison) -> list[str]:
    """Return the headings of the columns: runs, settings that differ, seeds, metrics."""
    return ["runs", *comparison.settings, "seeds", *(metric.name for metric in comparison.metrics())]


def rows(comparison: Comparison, mark: Callable[[str], str]) -> list[list[str]]:
    """Return one row per group; ``mark`` is applied to the best value of each metric."""
    return [
        [
            _name(group),
            *(comparison.value(group, setting) for setting in comparison.settings),
            group.seeds,
            *(_cell(comparison, group, metric, mark) for metric in comparison.metrics()),
        ]
        for group in comparison.groups
    ]


def fitted(table: ComparisonTable, columns: int) -> ComparisonTable:
    """Return a table of headings and rows with a column per group instead, if only that form fits the columns.

    Runs of unlike specs differ in many settings. If neither form fits, return the narrower one.
    """
    names, lines = table
    turned = ComparisonTable(
        [names[0], *(line[0] for line in lines)],
        [[name, *cells] for name, *cells in zip(names[1:], *(line[1:] for line in lines), strict=True)],
    )
    return turned if max(columns, turned.width) < table.width else table


def legend(comparison: Comparison) -> list[str]:
    """Return the meaning of each letter, and the notes."""
    letters = [
        f"{setting} {letter}: {value or 'none'}"
        for setting in comparison.settings
        for value, letter in comparison.letters(setting).items()
    ]
    return [*letters, *comparison.notes]


def _name(group: RunGroup) -> str:
    return group.runs[0].folder if len(group.runs) == 1 else counted(len(group.runs), "run")


def _cell(comparison: Comparison, group: RunGroup, metric: Metric, mark: Callable[[str], str]) -> str:
    measured = group.measured(metric)
    if measured is None:
        return ""
    text = _number(measured, metric)
    return mark(text) if group in comparison.best(metric) else text


def _number(measured: GroupMean, metric: Metric) -> str:
    mean = f"{measured.mean:.{metric.decimals}f}"
    return mean if measured.deviation is None else f"{mean} {PLUS_MINUS} {measured.deviation:.{metric.decimals}f}"


def markdown(comparison: Comparison) -> str:
    """Return a Markdown table with the best values in bold."""
    heads = headings(comparison)
    left = 1 + len(comparison.settings)
    rule = ["---" if number <= left else "---:" for number in range(len(heads))]
    # Bold is added after escaping, which would otherwise escape its stars.
    body = [
        [f"**{in_markdown(cell[1:])}**" if cell[:1] == _BEST else in_markdown(cell) for cell in line]
        for line in rows(comparison, lambda text: f"{_BEST}{text}")
    ]
    lines = [list(map(in_markdown, heads)), rule, *body]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*table, *(f"\n{in_markdown(line)}" for line in legend(comparison))]) + "\n"


def latex(comparison: Comparison) -> str:
    """Return a ``tabular`` with the best values in bold; it needs no package."""
    heads = headings(comparison)
    columns = "l" * (2 + len(comparison.settings)) + "r" * len(comparison.metrics())
    # Bold is added after escaping, which would otherwise escape its braces.
    body = [
        [rf"\textbf{{{_escaped(cell[1:])}}}" if cell[:1] == _BEST else _escaped(cell) for cell in line]
        for line in rows(comparison, lambda text: f"{_BEST}{text}")
    ]
    lines = [" & ".join(line) + r" \\" for line in body]
    return (
        "\n".join(
            [
                rf"\begin{{tabular}}{{{columns}}}",
                r"\hline",
                " & ".join(map(_escaped, heads)) + r" \\",
                r"\hline",
                *lines,
                r"\hline",
                r"\end{tabular}",
                *(f"% {line}" for line in legend(comparison)),
            ]
        )
        + "\n"
    )


def _escaped(text: str) -> str:
    return re.sub("|".join(map(re.escape, _LATEX)), lambda match: _LATEX[match[0]], text)


def csv_table(comparison: Comparison) -> str:
    """Return a CSV with separate columns for means and deviations, in full precision, and with unabbreviated values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    metrics = comparison.metrics()
    names = [name for metric in metrics for name in (metric.name, f"{metric.name} deviation")]
    writer.writerow(["runs", *comparison.settings, "seeds", *names])
    for group in comparison.groups:
        numbers: list[object] = []
        for metric in metrics:
            measured = group.measured(metric)
            numbers += ["", ""] if measured is None else [measured.mean, _or_empty(measured.deviation)]
        folders = " ".join(run.folder for run in group.runs)
        values: Sequence[str] = [group.runs[0].settings.get(setting, "") for setting in comparison.settings]
        writer.writerow([folders, *values, group.seeds, *numbers])
    return text.getvalue()


def _or_empty(value: float | None) -> float | str:
    return "" if value is None else value
