"""``caedsl graph``: the architecture as a picture."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.completion import SpecPath
from caedsl.cli.specs import VariantOption
from caedsl.diagnostics.text import printable


class DrawingStyle(StrEnum):
    """How the architecture is drawn."""

    HOURGLASS = "hourglass"
    BLOCKS = "blocks"


def graph(
    spec: SpecPath,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Ends in .svg, .png, .pdf, .dot or .mmd; NAME.svg by default."
        ),
    ] = None,
    style: Annotated[
        DrawingStyle,
        typer.Option("--style", help="An hourglass for papers, or blocks: one row a layer, through Graphviz."),
    ] = DrawingStyle.HOURGLASS,
    width: Annotated[
        float | None,
        typer.Option("--width", metavar="CM", help="The width of the picture; a deep network goes on in further rows."),
    ] = None,
    font_size: Annotated[
        float | None,
        typer.Option(
            "--font-size", metavar="POINTS", help="The size of the smallest text; chosen to be legible by default."
        ),
    ] = None,
    no_title: Annotated[bool, typer.Option("--no-title", help="Leave out the name above the picture.")] = False,
    grey: Annotated[bool, typer.Option("--grey", help="Draw without colour, for print.")] = False,
    variant: VariantOption = None,
) -> None:
    """Draw the architecture."""
    from caedsl.cli.specs import fail, read_unswept
    from caedsl.figures.errors import FigureError
    from caedsl.figures.graph import draw
    from caedsl.figures.look import Look

    try:
        look = Look(width, font_size, title=not no_title, grey=grey)
    except FigureError as error:
        raise fail(str(error)) from None
    os.environ.pop("MPLBACKEND", None)  # diagrams need no display, and matplotlib refuses a name that it does not know
    model = read_unswept(spec, variant=variant)
    target = output or Path(f"{model.name}.svg")
    try:
        draw(model, target, style.value, look)
    except FigureError as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"cannot write {target}: {error.strerror or error}; choose another place with -o") from None
    typer.echo(printable(f"drew {target}"))
