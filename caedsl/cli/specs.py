"""Reading the spec that a command is about.

Its findings go to standard error, so that standard output stays the command's.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS
from caedsl.cli.front import complain
from caedsl.diagnostics.finding import Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Source

if TYPE_CHECKING:
    from caedsl.rules.engine.checking import Checked


def fail(message: str, code: int = COULD_NOT_RUN) -> typer.Exit:
    """Say on standard error why the command cannot go on; raise what it returns."""
    complain(message)
    return typer.Exit(code)


def read_model(path: str, assignments: Sequence[str] = (), quiet: bool = False) -> Autoencoder:
    """Return the model of the spec at ``path`` (``-`` for standard input) with the ``--set`` assignments made.

    Errors and warnings are shown; with errors the command ends with exit code 1, and 2 where the spec cannot be read.
    """
    checked = _checked(path, assignments, quiet)
    if checked.model is None or checked.has_errors:
        raise typer.Exit(FINDINGS)
    return checked.model


def read_trainable(path: str, assignments: Sequence[str] = ()) -> Autoencoder:
    """Return the model of a spec whose errors, if it has any, do not keep it from being built and trained.

    Errors are shown. The command ends as in ``read_model`` where the model cannot be built.
    """
    checked = _checked(path, assignments, quiet=True)
    model = checked.model
    if model is None or not model.complete or model.out_shape != model.input.shape or not checked.spec.complete:
        raise typer.Exit(FINDINGS)
    return model


def _checked(path: str, assignments: Sequence[str], quiet: bool) -> "Checked":
    """Check a spec, and show its errors and, unless ``quiet``, its warnings."""
    from caedsl.diagnostics.colour import use_colour
    from caedsl.diagnostics.finding import Report
    from caedsl.diagnostics.full import render_full
    from caedsl.rules.engine.checking import check_source

    checked = check_source(_source(path, assignments))
    for failure in checked.failures:
        print(f"caedsl: {path}: {failure}; this is a bug in caedsl: please report it with the spec", file=sys.stderr)
    wanted = {Severity.ERROR} if quiet else {Severity.ERROR, Severity.WARNING}
    shown = [
        Report(source, tuple(finding for finding in findings if finding.severity in wanted))
        for source, findings in checked.reports
    ]
    if any(report.findings for report in shown):
        sys.stderr.write(render_full(shown, colour=use_colour(sys.stderr)))
    return checked


def _source(path: str, assignments: Sequence[str]) -> Source:
    from caedsl.cli.files import read_spec
    from caedsl.resolve.overrides import OverrideError, override
    from caedsl.syntax.reading import SourceError

    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise fail(f"--set {assignment}: write NAME=VALUE, as in --set train.batch=64")
        values[name.strip()] = value
    try:
        return override(read_spec(path), values)
    except SourceError as error:
        raise fail(str(error)) from None
    except OverrideError as error:
        raise fail(f"--set: {error}") from None
