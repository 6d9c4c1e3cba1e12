"""``caedsl report``: writes a report of a run as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.device import Device
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, refuse_existing, say, write_new


def report(
    run: Run,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.html", help="The page; default: report.html in the run folder."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the run's data.")] = None,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="The device; auto is the device of the run.")] = Device.AUTO,
) -> None:
    """Write a report as one self-contained HTML page: verdict, curves, reconstructions, baselines, how to reproduce it.

    The page includes the results of `caedsl calibrate` and `caedsl evaluate --test`, so run these first.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.report.contents import contents
    from caedsl.report.page import page
    from caedsl.runs.file_names import REPORT

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise fail(f"{output} does not end in .html: write the name of an HTML file")
    target = output or run / REPORT
    refuse_existing(target, overwrite)
    with outside_errors():
        report_contents = contents(run, device.value, data_dir, make_reporter(quiet=False))
    html = page(report_contents).encode("utf-8", "backslashreplace")  # the folder's name may not be UTF-8
    write_new(target, html, overwrite)
    for line in report_contents.missing:
        say(f"caedsl: {line}", err=True)
    say(f"wrote {target}")
