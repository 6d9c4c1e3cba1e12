"""A drawing as PNG or PDF, by matplotlib's patches: no display, no state, and equal drawings give equal files."""

from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text as Words

from caedsl.figures.drawing import Area, Box, Drawing, Line, Mark, Point, Sum, Text, toward
from caedsl.figures.palette import LIGHT

RESOLUTION = 220.0
"""Dots per inch of a PNG; fewer where a side would exceed ``LONGEST_SIDE`` dots."""
LONGEST_SIDE = 12_000.0
POINTS = 72.0
SETTINGS: Any = {"font.family": "DejaVu Sans", "pdf.fonttype": 42, "path.simplify": False}
"""matplotlib's own font, so that every machine draws alike; fonttype 42 keeps the text of a PDF text."""


def png(drawing: Drawing) -> bytes:
    """The drawing as a PNG file on white paper."""
    dots = min(RESOLUTION, LONGEST_SIDE * POINTS / max(drawing.width, drawing.height))
    return _saved(drawing, format="png", dpi=dots, facecolor="white", metadata={"Software": None})


def pdf(drawing: Drawing) -> bytes:
    """The drawing as a PDF file of one page, its text text, without a background."""
    metadata = {
        "Title": drawing.title,
        "Subject": drawing.about,
        "Creator": "caedsl",
        "Producer": None,
        "CreationDate": None,
    }
    return _saved(drawing, format="pdf", facecolor="none", metadata=metadata)


def _saved(drawing: Drawing, **options: Any) -> bytes:
    with matplotlib.rc_context(), BytesIO() as file:
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        figure = Figure(figsize=(drawing.width / POINTS, drawing.height / POINTS), dpi=POINTS)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, drawing.width), ylim=(drawing.height, 0.0))
        axes.set_axis_off()
        for order, mark in enumerate(drawing.marks()):
            for artist in _artists(mark):
                artist.set_zorder(order)
                axes.add_artist(artist)
        figure.savefig(file, **options)
        return file.getvalue()


def _artists(mark: Mark) -> list[Artist]:
    match mark:
        case Box():
            return [_box(mark)]
        case Area():
            return [Polygon(list(mark.points), closed=True, facecolor=LIGHT[mark.fill], edgecolor="none")]
        case Line():
            return _line(mark)
        case Sum():
            return _sum(mark)
        case Text():
            return [_text(mark)]


def _box(mark: Box) -> Artist:
    return FancyBboxPatch(
        (mark.x, mark.y),
        mark.width,
        mark.height,
        boxstyle="round,pad=0,rounding_size=2",
        facecolor=LIGHT[mark.fill] if mark.fill else "none",
        edgecolor=LIGHT[mark.stroke],
        linewidth=1.2,
        linestyle=(0, (3.3, 2.5)) if mark.dashed else "solid",
    )


def _line(mark: Line) -> list[Artist]:
    colour = LIGHT[mark.stroke]
    dots: Any = (0, (1.5, 3.0)) if mark.dotted else "solid"
    line = PathPatch(_path(mark), fill=False, edgecolor=colour, linewidth=mark.width, linestyle=dots, capstyle="butt")
    if not mark.arrow:
        return [line]
    return [line, Polygon(list(mark.head), closed=True, facecolor=colour, edgecolor="none")]


def _path(line: Line) -> Path:
    points: list[Point] = [line.points[0]]
    codes = [Path.MOVETO]
    for before, corner, after in zip(line.points, line.points[1:], line.points[2:], strict=False):
        points += [toward(corner, before, line.radius), corner, toward(corner, after, line.radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*points, line.points[-1]], [*codes, Path.LINETO])


def _sum(mark: Sum) -> list[Artist]:
    colour, x, y, r = LIGHT[mark.stroke], mark.x, mark.y, mark.radius
    strokes = (((x - r, x + r), (y, y)), ((x, x), (y - r, y + r)))
    circle = Circle((x, y), r, fill=False, edgecolor=colour, linewidth=1.2)
    return [circle, *(Line2D(across, down, color=colour, linewidth=1.2) for across, down in strokes)]


def _text(mark: Text) -> Artist:
    return Words(
        mark.x,
        mark.y,
        mark.text,
        fontsize=mark.size,
        color=LIGHT[mark.fill],
        weight="bold" if mark.bold else "normal",
        rotation=90 if mark.upwards else 0,
        horizontalalignment="left" if mark.anchor == "start" else "center",
        verticalalignment="center",
        parse_math=False,
    )
