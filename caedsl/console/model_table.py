"""Show a model as a table of its layers, with its totals and its resolved settings."""

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from caedsl.diagnostics.text import counted, safe
from caedsl.facts.model_summary import Summary, summarise
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import elements, noun, places
from caedsl.vocabulary.shape import text as shape_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH_IN_A_FILE = 140
"""Columns of the table without a terminal: wide enough for a long layer line."""


class Heading(NamedTuple):
    """Heading of a column; numbers are aligned to the right."""

    text: str
    right: bool = False


HEADINGS = (
    Heading("part"),
    Heading("layer"),
    Heading("line", True),
    Heading("shape", True),
    Heading("parameters", True),
    Heading("MACs", True),
    Heading("sees", True),
)


def layer_rows(summary: Summary) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each layer; only the first row of a part names the part."""
    part = ""
    for row in summary.layers:
        yield (
            row.part if row.part != part else "",
            row.spelling,
            str(row.line),
            shape_text(row.out_shape),
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.macs:,}" if row.macs else "",
            str(row.receptive_field),
        )
        part = row.part


def totals(summary: Summary) -> list[tuple[str, str]]:
    """Return the totals of the model, and other properties of the whole, by name."""
    code = elements(summary.code_shape)
    ratio = summary.compression
    compared = "as many as the input has" if ratio == 1 else _compared(ratio)
    code_shape, shape = summary.code_shape, summary.input_shape
    product = f"{shape_text(code_shape)} = " if len(code_shape) > 1 else ""
    step = f"one training step{f' of one {noun(shape)}' if _batch_open(summary) else ''}"
    leak = sum(map(elements, summary.bypass.values()))
    named = ", ".join(f"{name} {shape_text(each)}" for name, each in summary.bypass.items())
    around = [("around the code", f"{counted(leak, 'number')}: {named}")] if leak else []
    compared = f"with the outputs around it {compared}" if leak else compared
    return [
        ("code", f"{product}{counted(code, 'number')}, {compared}; {counted(summary.code_bits, 'bit')}"),
        *around,
        *([("code loss", summary.code_terms)] if summary.code_terms else []),
        ("compression", f"{ratio:.4g}"),
        ("parameters", f"{summary.parameters:,}"),
        ("MACs", f"{summary.macs:,} per {noun(shape)}"),
        ("receptive field", f"{summary.receptive_field} {places(shape)} at the code"),
        ("memory", f"about {_bytes(summary.memory)} for {step}"),
    ]


def input_text(model: Autoencoder) -> str:
    """Return the shape and the range of the input, and those of a target that differs from it."""
    given = f"{shape_text(model.input.shape)} in {model.input.range}"
    if model.preprocessing is not None:
        given += f", normalised ({model.preprocessing.name})"
    if model.target is model.input:
        return given
    return f"{given}, to {shape_text(model.target.shape)} in {model.target.range}"


def print_model(model: Autoencoder, summary: Summary, console: "Console") -> None:
    """Print the model's table, totals and settings on a console."""
    from rich.text import Text

    from caedsl.facts.settings_text import settings_lines

    if not console.is_terminal:
        console.width = WIDTH_IN_A_FILE
    console.print(Text(model.name, style="bold"), f" {input_text(model)}\n")
    console.print(_table(summary), "")
    for name, value in totals(summary):
        console.print(Text(f"  {name:<17}{safe(value)}"))
    if model.train is not None:
        console.print("\ntrain")
        for name, text, written in settings_lines(model):
            console.print(Text(f"  {name:<12}{safe(text)}") + Text("" if written else "  (default)", "dim"))
    if model.sweep is not None:
        console.print(Text(f"\nsweep  ({model.sweep.variants} variants; above is the spec without it)"))
        width = max(len(swept.name) for swept in model.sweep.names) + 2
        for swept in model.sweep.names:
            console.print(Text(f"  {swept.name:<{width}}{safe(' '.join(value.text for value in swept.values))}"))


def model_text(model: Autoencoder) -> str:
    """Return what ``print_model`` writes to a file."""
    from rich.console import Console

    file = StringIO()
    print_model(model, summarise(model), Console(file=file, highlight=False, soft_wrap=True))
    return file.getvalue()


def _table(summary: Summary) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in HEADINGS:
        wraps = heading.text == "layer"
        table.add_column(heading.text, no_wrap=not wraps, justify="right" if heading.right else "left")
    for number, cells in enumerate(layer_rows(summary)):
        if number and cells[0]:
            table.add_section()
        table.add_row(*cells)
    return table


def _batch_open(summary: Summary) -> bool:
    return summary.train is not None and isinstance(summary.train.batch, str)


def _compared(ratio: float) -> str:
    return f"{ratio:.4g}× smaller than the input" if ratio > 1 else f"{1 / ratio:.4g}× larger than the input"


def _bytes(number: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"
