"""``caedsl doctor``: why a model fails to train, with evidence and tested repairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.device import Device
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, refuse_existing, say, write_new
from caedsl.importing.file_kinds import is_model_file

if TYPE_CHECKING:
    from caedsl.doctor.diagnosis import Diagnosis
    from caedsl.doctor.subject import Subject
    from caedsl.training.reporter import Reporter


def doctor(
    subject: Annotated[
        str,
        typer.Argument(metavar="SPEC|RUN|MODEL", help="A spec, a run folder, or a model that `caedsl import` reads."),
    ],
    budget: Annotated[
        str,
        typer.Option(
            metavar="TIME|STEPS",
            help="The approximate time, as in 90s or 2min, or the number of training steps, as in 3000steps.",
        ),
    ] = "2min",
    data: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="The data, instead of the spec's `data` line: mnist, 'npy \"x.npy\"'."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: train.batch=64, train.optimizer.lr=1e-4."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the diagnosis, with curves, as an HTML page.")
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="The shape of a sample, for FILE.py:NAME: 1x28x28."),
    ] = None,
    values: Annotated[
        str | None,
        typer.Option(
            "--range", metavar="LO..HI", help="The range of the input's values, or real, for a MODEL; default: 0..1."
        ),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Apply the best repair to the spec.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="SPEC", help="The output file for the repaired spec.")
    ] = None,
    device: Annotated[Device, typer.Option(help="The device; auto uses a GPU if there is one.")] = Device.AUTO,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of datasets; default: CAEDSL_DATA, or the user's cache."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no progress.")] = False,
) -> None:
    """Find out why a model fails to train: examine the data, the untrained network and its first steps.

    Likely causes are listed with their evidence. A small change to the spec is suggested as a repair if the changed
    spec trains better than the original with several seeds.
    """
    from caedsl.cli.exit_codes import FINDINGS
    from caedsl.cli.specs import fail
    from caedsl.extras import require_for_model

    if _is_model(subject):
        require_for_model(subject)

    from caedsl.console.progress import make_reporter
    from caedsl.doctor.budget import budget_of
    from caedsl.doctor.diagnosis import Verdict
    from caedsl.doctor.examine import examine

    with outside_errors():
        budget_of(budget)  # report mistakes before images are loaded
    is_run = Path(subject).is_dir()
    if is_run and (set_ or data):
        raise fail("a run has its own spec and data: remove --set and --data, or name its spec.cae instead")
    if fix and (is_run or _is_model(subject) or set_ or data or subject == "-"):
        raise fail("--fix needs a spec file without --set and --data: use --output FILE for the repaired spec")
    for target in (html, output):
        if target is not None:
            refuse_existing(target, overwrite)
    reporter = make_reporter(quiet)
    with outside_errors():
        if _is_model(subject):
            examined = _imported(subject, sample, values, data, set_ or [], device, data_dir, reporter)
        else:
            examined = _subject(subject, is_run, data, set_ or [], device, data_dir, reporter)
        diagnosis = examine(examined, budget_of(budget), reporter)
    _print(diagnosis, json)
    _write(diagnosis, Path(subject) if fix else None, output, html, overwrite)
    if diagnosis.verdict is not Verdict.HEALTHY:
        raise typer.Exit(FINDINGS)


def _is_model(subject: str) -> bool:
    """Return whether the name is that of a model of another framework."""
    return is_model_file(subject) and not Path(subject).is_dir()


def _imported(
    place: str,
    sample: str | None,
    values: str | None,
    data: str | None,
    assignments: list[str],
    device: Device,
    data_dir: Path | None,
    reporter: "Reporter",
) -> "Subject":
    from caedsl.cli.import_ import range_of, shape_of
    from caedsl.cli.specs import assigned, fail
    from caedsl.doctor.reading import of_file

    settings = {**assigned(assignments), **({"data": data} if data else {})}
    if "data" not in settings:
        raise fail(f"{place} contains no data: name a source, as in --data mnist")
    return of_file(
        place,
        shape_of(sample),
        range_of(values),
        settings,
        device=device.value,
        data_dir=data_dir,
        reporter=reporter,
    )


def _subject(
    name: str,
    is_run: bool,
    data: str | None,
    assignments: list[str],
    device: Device,
    data_dir: Path | None,
    reporter: "Reporter",
) -> "Subject":
    from caedsl.cli.specs import read_trainable
    from caedsl.doctor.reading import of_model, of_run

    if is_run:
        return of_run(Path(name), device=device.value, data_dir=data_dir, reporter=reporter)
    model = read_trainable(name, [*assignments, *([f"data={data}"] if data else [])])
    return of_model(model, device=device.value, data_dir=data_dir, reporter=reporter)


def _print(diagnosis: "Diagnosis", json: bool) -> None:
    from caedsl.doctor.as_json import as_json

    typer.echo(as_json(diagnosis) if json else diagnosis)


def _write(diagnosis: "Diagnosis", spec: Path | None, output: Path | None, html: Path | None, overwrite: bool) -> None:
    """Write the requested files: the repaired spec into its file or another one, and the page."""
    from caedsl.cli.files import WriteError, write_text
    from caedsl.cli.specs import fail
    from caedsl.doctor.diagnosis import MORE_TIME
    from caedsl.doctor.page import page

    if html is not None:
        write_new(html, page(diagnosis).encode("utf-8", "backslashreplace"), overwrite)
        say(f"wrote {html}", err=True)
    best = diagnosis.best
    if best is None:
        if spec is not None or output is not None:
            more = f"; give it more time, as in {MORE_TIME}" if diagnosis.needs_more_time else ""
            say(f"caedsl: nothing was written, because no repair improved the training{more}", err=True)
        return
    if output is not None:
        write_new(output, best.text.encode(), overwrite)
        say(f"wrote {output}", err=True)
    if spec is not None:
        try:
            write_text(str(spec), best.text)
        except WriteError as error:
            raise fail(error) from None
        say(f"changed {spec}: {best.title}", err=True)
