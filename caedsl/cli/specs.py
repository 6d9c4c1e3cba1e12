"""Reading the spec that a command is about.

Its findings go to standard error, so that standard output stays the command's.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS
from caedsl.cli.front import complain
from caedsl.diagnostics.finding import Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.sweep import Sweep
from caedsl.source import Source

if TYPE_CHECKING:
    from caedsl.rules.engine.checking import Checked

_MOST_SHOWN = 12  # variants of a sweep that a refusal lists


def fail(message: str, code: int = COULD_NOT_RUN) -> typer.Exit:
    """Say on standard error why the command cannot go on; raise what it returns."""
    complain(message)
    return typer.Exit(code)


VariantOption = Annotated[
    int | None, typer.Option("--variant", metavar="N", help="Take variant N of the spec's sweep, counted from 1.")
]


def read_model(
    path: str, assignments: Sequence[str] = (), quiet: bool = False, variant: int | None = None
) -> Autoencoder:
    """Return the model of the spec at ``path`` (``-`` for standard input), with the ``--set`` assignments made.

    ``variant`` chooses one of its sweep. Errors and warnings are shown; with errors the command ends with exit code 1,
    and 2 where the spec cannot be read.
    """
    checked = _checked(path, assignments, quiet, variant)
    if checked.model is None or checked.has_errors:
        raise typer.Exit(FINDINGS)
    return checked.model


def read_trainable(path: str, assignments: Sequence[str] = ()) -> Autoencoder:
    """Return the model of a spec whose errors, if it has any, do not keep it from being built and trained.

    Errors are shown. The command ends as in ``read_model`` where the model cannot be built.
    """
    checked = _checked(path, assignments, quiet=True, variant=None)
    model = checked.model
    if model is None or not model.complete or model.out_shape != model.target.shape or not checked.spec.complete:
        raise typer.Exit(FINDINGS)
    if model.sweep is not None:
        raise fail(f"{path} has a sweep of {_variants(model.sweep)}: name a spec without one")
    return model


def _checked(path: str, assignments: Sequence[str], quiet: bool, variant: int | None) -> "Checked":
    """Check a spec, and show its errors and, unless ``quiet``, its warnings."""
    from caedsl.diagnostics.colour import use_colour
    from caedsl.diagnostics.finding import Report
    from caedsl.diagnostics.full import render_full
    from caedsl.rules.engine.checking import check_source

    checked = check_source(_source(path, assignments, variant))
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


def read_unswept(path: str, assignments: Sequence[str] = (), variant: int | None = None) -> Autoencoder:
    """Return the model of ``read_model``; where it has a sweep, say that the spec is taken as it stands."""
    model = read_model(path, assignments, quiet=True, variant=variant)
    if model.sweep is not None:
        complain(
            f"{path} is taken as it stands, without its sweep of {_variants(model.sweep)}: choose one by --variant N"
        )
    return model


def refuse_sweep(path: str, sweep: Sweep) -> typer.Exit:
    """Return the end of a command that takes one model, for a spec with a sweep of several."""
    shown = [
        f"  --variant {number}  {sweep.described(number)}" for number in range(1, min(sweep.variants, _MOST_SHOWN) + 1)
    ]
    more = [f"  … up to --variant {sweep.variants}"] if sweep.variants > _MOST_SHOWN else []
    head = f"{path} has a sweep of {_variants(sweep)}: choose one of them"
    return fail("\n".join([head, *shown, *more]))


def _variants(sweep: Sweep) -> str:
    return f"{sweep.variants} variant{'s' if sweep.variants > 1 else ''}"


def assigned(assignments: Sequence[str]) -> dict[str, str]:
    """Return what ``--set`` assigns, by name."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise fail(f"--set {assignment}: write NAME=VALUE, as in --set train.batch=64")
        values[name.strip()] = value
    return values


def _source(path: str, assignments: Sequence[str], variant: int | None) -> Source:
    from caedsl.cli.files import read_spec
    from caedsl.resolve.overrides import OverrideError, override
    from caedsl.resolve.variants import VariantError, choose
    from caedsl.syntax.reading import SourceError

    values = assigned(assignments)
    try:
        source = read_spec(path)
        if variant is not None:
            source = choose(source, variant)
        return override(source, values)
    except (SourceError, VariantError) as error:
        raise fail(str(error)) from None
    except OverrideError as error:
        raise fail(f"--set: {error}") from None
