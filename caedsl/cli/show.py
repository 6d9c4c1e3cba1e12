"""``caedsl show``: every layer, every number, every setting."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from caedsl.facts.summary import Summary
    from caedsl.model.autoencoder import Autoencoder


WIDTH_IN_A_FILE = 140
"""Columns of the table where no terminal sets them: wide enough for a long layer line."""


def show(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The spec, or - for standard input.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON on standard output.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: train.batch=64.")
    ] = None,
) -> None:
    """Show every layer with its shape and cost, the totals, and the resolved settings."""
    from caedsl.cli.specs import read_model
    from caedsl.facts.summary import summarise

    model = read_model(spec, set_ or (), quiet=True)
    summary = summarise(model)
    if json:
        from caedsl.facts.schema import summary_json

        typer.echo(summary_json(summary), nl=False)
        return
    _print(model, summary)


def _print(model: "Autoencoder", summary: "Summary") -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDTH_IN_A_FILE
    console.print(Text(model.name, style="bold"), f" {_shape(summary.input_shape)} in {model.input.range}\n")
    console.print(_layer_table(summary), "")
    for name, value in _totals(summary):
        console.print(f"  {name:<17}{value}")
    if model.train is not None:
        from caedsl.facts.settings_text import settings_lines

        console.print("\ntrain")
        for name, text, written in settings_lines(model):
            console.print(f"  {name:<12}{text}" + ("" if written else "  [dim](default)[/dim]"))


def _layer_table(summary: "Summary") -> object:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("part", "layer", "line"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "line" else "left")
    for heading in ("shape", "parameters", "MACs", "sees"):
        table.add_column(heading, no_wrap=True, justify="right")
    table.columns[1].no_wrap = False
    part = ""
    for row in summary.layers:
        if part and row.part != part:
            table.add_section()
        table.add_row(
            row.part if row.part != part else "",
            row.spelling,
            str(row.line),
            _shape(row.out_shape),
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.macs:,}" if row.macs else "",
            str(row.receptive_field),
        )
        part = row.part
    return table


def _totals(summary: "Summary") -> list[tuple[str, str]]:
    from caedsl.vocabulary.shape import elements

    code = elements(summary.code_shape)
    ratio = summary.compression
    compared = "as many as the input has" if ratio == 1 else _compared(ratio)
    shape = f"{_shape(summary.code_shape)} = " if len(summary.code_shape) > 1 else ""
    return [
        ("code", f"{shape}{code:,} numbers, {compared}"),
        ("compression", f"{ratio:.4g}"),
        ("parameters", f"{summary.parameters:,}"),
        ("MACs", f"{summary.macs:,} an image"),
        ("receptive field", f"{summary.receptive_field} pixels at the code"),
        (
            "memory",
            f"about {_bytes(summary.memory)} for one training step{' of one image' if _batch_open(summary) else ''}",
        ),
    ]


def _batch_open(summary: "Summary") -> bool:
    return summary.train is not None and isinstance(summary.train.batch, str)


def _compared(ratio: float) -> str:
    return f"{ratio:.4g}× smaller than the input" if ratio > 1 else f"{1 / ratio:.4g}× larger than the input"


def _shape(shape: tuple[int, ...]) -> str:
    from caedsl.vocabulary.shape import text

    return text(shape)


def _bytes(number: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"
