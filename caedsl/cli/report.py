"""``caedsl report``: a run as one page of HTML."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, refuse_existing, write_new
from caedsl.cli.train import Device, outside_errors


def report(
    run: Run,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.html", help="The page; report.html in the run folder by default."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the run's own data lie.")] = None,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute; auto is where the run was.")] = Device.AUTO,
) -> None:
    """Write a run as one page that needs no network: verdict, curves, reconstructions, baselines, how to reproduce it.

    What `caedsl calibrate` and `caedsl evaluate --test` found is part of it, so run these first.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.report.contents import contents
    from caedsl.report.page import page
    from caedsl.runs.files import REPORT

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise fail(f"{output} does not end in .html: the report is a page of HTML")
    target = output or run / REPORT
    refuse_existing(target, overwrite)
    with outside_errors():
        found = contents(run, device.value, data_dir, make_reporter(quiet=False))
    write_new(target, page(found).encode(), overwrite)
    for line in found.missing:
        typer.echo(f"caedsl: {line}", err=True)
    typer.echo(f"wrote {target}")
