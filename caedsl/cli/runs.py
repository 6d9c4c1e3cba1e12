"""``caedsl runs``: lists the runs below a folder with their state."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.outputs import say

if TYPE_CHECKING:
    from caedsl.runs.listing import ListedRun

DEFAULT = Path("runs")


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that contains the runs; default: runs.")
    ] = DEFAULT,
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="Sort by this column: started, psnr, best_loss, seconds, code, seed, model, folder, …",
        ),
    ] = "started",
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help="List only matching runs: state=finished, folder=*parts*, psnr>20, seed!=3.",
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List runs with model, data, code size, seed, overrides, best loss, PSNR, time, state and problems.

    Runs may be in DIR, in its subfolders, or in theirs, as the runs of `train --seeds` are.
    """
    import json
    from dataclasses import asdict

    from caedsl.cli.specs import fail
    from caedsl.runs.listing import list_runs
    from caedsl.runs.selecting import SelectionError, filter_runs, sort_runs

    try:
        found = list_runs(folder) if folder.exists() or folder != DEFAULT else []
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(f"{folder} cannot be listed: {reason}; name the folder that contains the runs") from None
    try:
        found = sort_runs(found, sort)
    except SelectionError as error:
        raise fail(f"--sort: {error}") from None
    try:
        for condition in filter_ or ():
            found = filter_runs(found, condition)
    except SelectionError as error:
        raise fail(f"--filter: {error}") from None
    if json_:
        print(json.dumps([asdict(record) for record in found], indent=2, allow_nan=False))
    elif not found:
        say(f"no runs in {folder}{' match --filter' if filter_ else ': `caedsl train SPEC` creates one'}")
    else:
        _show(found)


_HEADINGS = ("run", "model", "data", "code", "seed", "epoch", "best loss", "PSNR dB", "time", "overrides", "state")
_NUMBERS = _HEADINGS[3:9]
_STYLES = {"finished": "", "running": "green", "interrupted": "yellow", "failed": "red", "crashed": "red"}


def _show(found: "list[ListedRun]") -> None:
    """Print a table, or two lines per run if the terminal is too narrow.

    Paths are never truncated, because they could not be used.
    """
    from rich.console import Console
    from rich.measure import Measurement
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=True)
    for record in found:
        *cells, state = _cells(record)
        table.add_row(*map(Text, cells), Text(state, style=_STYLES.get(state, "")))
    console = Console(highlight=False)
    wide = console.options.update(max_width=10_000)
    if not console.is_terminal or Measurement.get(console, wide, table).maximum <= console.width:
        Console(highlight=False, width=10_000).print(table)
        return
    for record in found:
        path, *_, state = _cells(record)
        console.print(Text(path), soft_wrap=True)
        words = Text.assemble((state, _STYLES.get(state, "")), ", ", _in_words(record))
        console.print(Padding(words, (0, 0, 0, 2)))


def _in_words(record: "ListedRun") -> str:
    """Return the texts of the columns between the path and the state, without empty ones."""
    _, model, data, code, seed, epochs, loss, psnr, seconds, changed, _ = _cells(record)
    known = (
        model,
        data,
        code and f"code {code}",
        f"seed {seed}",
        f"epoch {epochs}",
        loss and f"best loss {loss}",
        psnr and f"PSNR {psnr} dB",
        seconds,
        changed,
    )
    return ", ".join(filter(None, known))


def _cells(record: "ListedRun") -> tuple[str, ...]:
    from caedsl.console.formats import duration, loss_text
    from caedsl.diagnostics.text import printable

    loss = (
        "" if record.best_loss is None else f"{loss_text(record.best_loss)}{'' if record.validated else ' (training)'}"
    )
    psnr = "" if record.psnr is None else f"{record.psnr:.2f}"
    epochs = f"{record.epoch}/{record.epochs}"
    state = f"{record.state}, trouble: {', '.join(record.trouble)}" if record.trouble else record.state
    code = "" if record.code is None else f"{record.code:,}"
    before = record.folder, record.model, record.data, code, str(record.seed)
    texts = *before, epochs, loss, psnr, duration(record.seconds), " ".join(record.overrides), state
    return tuple(map(printable, texts))
