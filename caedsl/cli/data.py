"""``caedsl data``: summarises the data of a spec before training."""

import json as json_
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.completion import SpecPath
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, refuse_existing, say, write_new
from caedsl.diagnostics.text import counted

if TYPE_CHECKING:
    from caedsl.data.survey import Survey
    from caedsl.training.reporter import Reporter

_MOST_CLASSES = 20
_MOST_SIZES = 5
_MOST_DUPLICATES = 20


def data(
    spec: SpecPath,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.png", help="Draw six samples of each part into this PNG file."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: train.validation=20%.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of datasets; default: CAEDSL_DATA, or the user's cache."),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Reject paths in the spec that lead out of this folder.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Summarise the data of a spec: counts, classes, sizes, values, duplicates across parts, unreadable files.

    The exit code is 1 if files cannot be read, or if an evaluation part shares samples with another part.
    """
    from caedsl.cli.exit_codes import FINDINGS
    from caedsl.cli.specs import fail, read_model
    from caedsl.console.progress import make_reporter
    from caedsl.data.survey import survey
    from caedsl.diagnostics.json import finite

    if output is not None and output.suffix.lower() != ".png":
        raise fail(f"{output} does not end in .png: write the name of a PNG file")
    if output is not None:
        refuse_existing(output, overwrite)
    model = read_model(spec, set_ or (), quiet=True)
    reporter = make_reporter(quiet=json)
    with outside_errors():
        try:
            validation = model.train.validation if model.train is not None else 0.0
            result = survey(model, validation, data_dir, reporter.loading, data_root)
        finally:
            reporter.end()
    if json:
        typer.echo(json_.dumps(finite(result.as_json()), indent=2))
    else:
        _show(result, reporter)
    if output is not None:
        from caedsl.evaluation.data_picture import data_picture

        write_new(output, data_picture(result, model), overwrite)
        say(f"drew {output}", err=json)
    if not result.fine:
        raise typer.Exit(FINDINGS)


def _show(survey: "Survey", reporter: "Reporter") -> None:
    from caedsl.vocabulary.shape import text

    reporter.result(f"{survey.source}, for input {survey.fit.input} in {survey.fit.range}")
    headings = ["", f"{survey.fit.noun}s", "stored as", "values", "mean", "deviation"]
    rows = [
        [
            part.part,
            f"{part.samples:,}",
            _some([f"{text(size)}" for size in part.sizes], _MOST_SIZES),
            f"{part.low:.4g}..{part.high:.4g}",
            f"{part.mean:.4g}",
            f"{part.deviation:.4g}",
        ]
        for part in (*survey.parts, *(replace(part, part=f"{part.part} targets") for part in survey.targets))
    ]
    reporter.table(headings, rows)
    for part in survey.parts:
        if part.classes:
            counts = [f"{name}: {count:,}" for name, count in part.classes.items()]
            reporter.result(f"classes of {part.part}  {_some(counts, _MOST_CLASSES)}")
    for note in survey.notes:
        reporter.result(f"note: {note}")
    noun = survey.fit.noun
    if survey.duplicates:
        occur = counted(len(survey.duplicates), f"{noun} occurs", f"{noun}s occur")
        reporter.result(f"{occur} in several parts:")
        _show_first(survey.duplicates, reporter)
    if survey.near_duplicates:
        pairs = counted(len(survey.near_duplicates), f"pair of {noun}s", f"pairs of {noun}s")
        reporter.result(f"{pairs} in two parts, nearly equal; check whether they show the same object:")
        _show_first(survey.near_duplicates, reporter)
    if survey.unreadable:
        remedy = "skipped" if survey.left_out else "repair or remove them, or add `skip=broken` to the source"
        reporter.result(f"{counted(len(survey.unreadable), 'file')} cannot be used; {remedy}:")
        for line in survey.unreadable:
            reporter.result(f"  {line}")


def _show_first(groups: Sequence[Sequence[tuple[str, str]]], reporter: "Reporter") -> None:
    """Print the first of the groups of samples: the part and the name of each sample."""
    for group in groups[:_MOST_DUPLICATES]:
        reporter.result("  " + ", ".join(f"{part}: {name}" for part, name in group))
    if len(groups) > _MOST_DUPLICATES:
        reporter.result(f"  and {len(groups) - _MOST_DUPLICATES:,} more (all with --json)")


def _some(words: list[str], most: int) -> str:
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more:,} more" if more > 0 else "")
