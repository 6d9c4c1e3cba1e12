"""``caedsl graph``: draws the architecture."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.completion import SpecPath
from caedsl.cli.outputs import say
from caedsl.cli.specs import VariantOption


class DrawingStyle(StrEnum):
    """How the architecture is drawn."""

    HOURGLASS = "hourglass"
    BLOCKS = "blocks"


def graph(
    spec: SpecPath,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The output file; ends in .svg, .png, .pdf, .dot or .mmd; default: NAME.svg.",
        ),
    ] = None,
    style: Annotated[
        DrawingStyle,
        typer.Option(
            "--style", help="The style: hourglass for papers, or blocks, with one row per layer, drawn by Graphviz."
        ),
    ] = DrawingStyle.HOURGLASS,
    width: Annotated[
        float | None,
        typer.Option(
            "--width", metavar="CM", help="The width of the picture in cm; a deep network continues in further rows."
        ),
    ] = None,
    font_size: Annotated[
        float | None,
        typer.Option(
            "--font-size", metavar="POINTS", help="The size of the smallest text; default: chosen automatically."
        ),
    ] = None,
    no_title: Annotated[bool, typer.Option("--no-title", help="Omit the name above the picture.")] = False,
    grey: Annotated[bool, typer.Option("--grey", help="Draw without colours, for printing.")] = False,
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
        raise fail(error) from None
    os.environ.pop(
        "MPLBACKEND", None
    )  # diagrams need no display, and matplotlib rejects a backend that it does not know
    model = read_unswept(spec, variant=variant)
    target = output or Path(f"{model.name}.svg")
    try:
        draw(model, target, style.value, look)
    except FigureError as error:
        raise fail(error) from None
    except OSError as error:
        raise fail(f"cannot write {target}: {error.strerror or error}; choose another place with -o") from None
    say(f"drew {target}")
