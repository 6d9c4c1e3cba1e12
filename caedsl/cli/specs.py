"""Reading the spec of a command.

Its findings go to standard error, so that standard output is free for the command.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.argument_parser import complain
from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS
from caedsl.diagnostics.finding import Severity
from caedsl.diagnostics.text import counted
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.sweep import Sweep
from caedsl.source import Source

if TYPE_CHECKING:
    from caedsl.rules.engine.checking import Checked

_MOST_SHOWN = 12  # variants of a sweep that an error lists


def fail(*lines: object, code: int = COULD_NOT_RUN) -> typer.Exit:
    """Print to standard error why the command cannot continue; the caller raises the returned exception."""
    complain(*lines)
    return typer.Exit(code)


VariantOption = Annotated[
    int | None, typer.Option("--variant", metavar="N", help="Use variant N of the spec's sweep, counted from 1.")
]


def read_model(
    path: str, assignments: Sequence[str] = (), quiet: bool = False, variant: int | None = None
) -> Autoencoder:
    """Return the model of the spec at ``path`` (``-`` for standard input), with the ``--set`` assignments.

    ``variant`` selects a variant of its sweep. Errors and warnings are shown; with errors the command ends with exit
    code 1, and with 2 if the spec cannot be read.
    """
    checked = _checked(path, assignments, quiet, variant)
    if checked.model is None or checked.has_errors:
        raise typer.Exit(FINDINGS)
    return checked.model


def read_trainable(path: str, assignments: Sequence[str] = ()) -> Autoencoder:
    """Return the model of a spec that can be built and trained, even if it has errors.

    Errors are shown. The command ends as in ``read_model`` if the model cannot be built.
    """
    checked = _checked(path, assignments, quiet=True, variant=None)
    model = checked.model
    if model is None or not checked.can_be_built:
        raise typer.Exit(FINDINGS)
    if model.sweep is not None:
        raise fail(f"{path} has a sweep of {counted(model.sweep.variants, 'variant')}: name a spec without one")
    return model


def _checked(path: str, assignments: Sequence[str], quiet: bool, variant: int | None) -> "Checked":
    """Check a spec, and show its errors and, unless ``quiet``, its warnings."""
    from caedsl.diagnostics.colour import use_colour
    from caedsl.diagnostics.finding import Report
    from caedsl.diagnostics.full import render_full
    from caedsl.rules.engine.checking import check_source

    checked = check_source(_source(path, assignments, variant))
    for failure in checked.failures:
        complain(f"{path}: {failure}; this is a bug in caedsl: please report it with the spec")
    wanted = {Severity.ERROR} if quiet else {Severity.ERROR, Severity.WARNING}
    shown = [
        Report(source, tuple(finding for finding in findings if finding.severity in wanted))
        for source, findings in checked.reports
    ]
    if any(report.findings for report in shown):
        sys.stderr.write(render_full(shown, colour=use_colour(sys.stderr)))
    return checked


def read_unswept(path: str, assignments: Sequence[str] = (), variant: int | None = None) -> Autoencoder:
    """Return the model of ``read_model``; if it has a sweep, report that the sweep is ignored."""
    model = read_model(path, assignments, quiet=True, variant=variant)
    if model.sweep is not None:
        complain(
            f"the sweep of {path}, with {counted(model.sweep.variants, 'variant')}, is ignored: choose a variant with "
            "--variant N"
        )
    return model


def refuse_sweep(path: str, sweep: Sweep) -> typer.Exit:
    """Return the exit of a command that needs one model, for a spec with a sweep."""
    shown = [
        f"  --variant {number}  {sweep.described(number)}" for number in range(1, min(sweep.variants, _MOST_SHOWN) + 1)
    ]
    more = [f"  … up to --variant {sweep.variants}"] if sweep.variants > _MOST_SHOWN else []
    head = f"{path} has a sweep of {counted(sweep.variants, 'variant')}: choose one of them"
    return fail(head, *shown, *more)


def assigned(assignments: Sequence[str]) -> dict[str, str]:
    """Return the ``--set`` assignments by name."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise fail(f"--set {assignment}: write NAME=VALUE, as in --set train.batch=64")
        values[name.strip()] = value
    return values


def _source(path: str, assignments: Sequence[str], variant: int | None) -> Source:
    from caedsl.cli.files import read_spec
    from caedsl.resolve.merging.overrides import OverrideError, override
    from caedsl.resolve.merging.variants import VariantError, choose
    from caedsl.syntax.reading import SourceError

    values = assigned(assignments)
    try:
        source = read_spec(path)
        if variant is not None:
            source = choose(source, variant)
        return override(source, values)
    except (SourceError, VariantError) as error:
        raise fail(error) from None
    except OverrideError as error:
        raise fail(f"--set: {error}") from None
