"""``caedsl runs``: the runs below a folder, and how each stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from caedsl.training.runs import RunRecord


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the run folders lie.")] = Path("runs"),
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List runs: spec, data, best loss, time and state (running, finished, interrupted, failed, crashed)."""
    import json
    from dataclasses import asdict

    from caedsl.cli.specs import fail
    from caedsl.training.runs import list_runs

    try:
        found = list_runs(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fail(f"{folder} cannot be listed: {reason}; name the folder that holds the runs") from None
    if json_:
        print(json.dumps([asdict(record) for record in found], indent=2, ensure_ascii=False))
    elif not found:
        print(f"no runs in {folder}: `caedsl train SPEC` makes one")
    else:
        _show(found)


def _show(found: "list[RunRecord]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("run", "spec", "data", "epoch", "best loss", "time", "state"):
        right = heading in ("epoch", "best loss", "time")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for record in found:
        table.add_row(*(Text(cell) for cell in _cells(record)))
    # Wider than any terminal: a path that is cut cannot be used.
    Console(highlight=False, width=10_000).print(table)


def _cells(record: "RunRecord") -> tuple[str, ...]:
    from caedsl.training.durations import duration

    loss = "" if record.best_loss is None else f"{record.best_loss:.5f}{'' if record.validated else ' (training)'}"
    epochs, state = f"{record.epoch}/{record.epochs}", record.state
    return record.folder, record.model, record.data, epochs, loss, duration(record.seconds), state
