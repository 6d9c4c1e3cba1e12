"""``caedsl compare``: compares runs."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import say


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Run folders, or folders of run folders, such as runs.")
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with full precision.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX tabular.")] = False,
) -> None:
    """Compare the metrics of finished runs and the settings in which they differ; a star marks the best value.

    Runs that differ only in the seed are one row, or one column if the table is too wide for the terminal, with mean ±
    standard deviation. The results of `caedsl evaluate --test` are included.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.evaluation import comparison_tables as tables
    from caedsl.evaluation.comparison import compare as compared

    if csv + markdown + latex > 1:
        raise fail("--csv, --markdown and --latex exclude each other: choose one")
    with outside_errors():
        comparison = compared(runs)
    if csv or markdown or latex:
        form = tables.csv_table if csv else tables.markdown if markdown else tables.latex
        print(form(comparison), end="")
        if csv:  # the other forms contain the notes
            for note in comparison.notes:
                say(note, err=True)
        return
    table = tables.ComparisonTable(tables.headings(comparison), tables.rows(comparison, lambda text: f"*{text}"))
    reporter = make_reporter(quiet=False)
    columns = shutil.get_terminal_size(fallback=(table.width, 0)).columns  # other programs get whole rows
    reporter.table(*tables.fitted(table, columns))
    for line in tables.legend(comparison):
        reporter.result(line)
