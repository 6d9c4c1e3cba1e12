"""Write a drawing as PNG or PDF with matplotlib's patches: no display, no state; equal drawings give equal files."""

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

from caedsl.figures.drawing import Area, Box, Drawing, Mark, Point, Polyline, Sum, TextMark, toward
from caedsl.figures.palette import Palette

RESOLUTION = 220.0
"""Dots per inch of a PNG; fewer if a side would exceed ``LONGEST_SIDE`` dots."""
LONGEST_SIDE = 12_000.0
POINTS = 72.0
DASHES: Any = (0, (3.3, 2.5))
DOTS: Any = (0, (1.5, 3.0))
"""Pattern of dots, in line widths."""
SETTINGS: Any = {"font.family": "DejaVu Sans", "pdf.fonttype": 42, "path.simplify": False}
"""matplotlib's own font, so that every machine draws the same; fonttype 42 keeps text in a PDF as text."""


def png(drawing: Drawing) -> bytes:
    """Return the drawing as a PNG file on white paper."""
    dots = min(RESOLUTION, LONGEST_SIDE * POINTS / (max(drawing.width, drawing.height) * (drawing.scale or 1.0)))
    return _saved(drawing, format="png", dpi=dots, facecolor="white", metadata={"Software": None})


def pdf(drawing: Drawing) -> bytes:
    """Return the drawing as a one-page PDF file, with text as text, without a background."""
    metadata = {
        "Title": drawing.title,
        "Subject": drawing.about,
        "Creator": "caedsl",
        "Producer": None,
        "CreationDate": None,
    }
    return _saved(drawing, format="pdf", facecolor="none", metadata=metadata)


def _saved(drawing: Drawing, **options: Any) -> bytes:
    scale = drawing.scale or 1.0
    pen = _Pen(drawing.scheme.light, scale)
    with matplotlib.rc_context(), BytesIO() as file:
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        size = (drawing.width * scale / POINTS, drawing.height * scale / POINTS)
        figure = Figure(figsize=size, dpi=POINTS)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, drawing.width), ylim=(drawing.height, 0.0))
        axes.set_axis_off()
        for order, mark in enumerate(drawing.marks()):
            for artist in pen.artists(mark):
                artist.set_zorder(order)
                axes.add_artist(artist)
        figure.savefig(file, **options)
        return file.getvalue()


class _Pen:
    """Painter of marks with matplotlib; it scales line widths and text sizes, which matplotlib takes in points."""

    def __init__(self, palette: Palette, scale: float) -> None:
        self.palette = palette
        self.scale = scale

    def artists(self, mark: Mark) -> list[Artist]:
        match mark:
            case Box():
                return [self._box(mark)]
            case Area():
                return [Polygon(list(mark.points), closed=True, facecolor=self.palette[mark.fill], edgecolor="none")]
            case Polyline():
                return self._line(mark)
            case Sum():
                return self._sum(mark)
            case TextMark():
                return [self._text(mark)]

    def _box(self, mark: Box) -> Artist:
        return FancyBboxPatch(
            (mark.x, mark.y),
            mark.width,
            mark.height,
            boxstyle="round,pad=0,rounding_size=2",
            facecolor=self.palette[mark.fill] if mark.fill else "none",
            edgecolor=self.palette[mark.stroke],
            linewidth=1.2 * self.scale,
            linestyle=DASHES if mark.dashed else "solid",
        )

    def _line(self, mark: Polyline) -> list[Artist]:
        colour, width = self.palette[mark.stroke], mark.width * self.scale
        style: Any = DOTS if mark.dotted else DASHES if mark.dashed else "solid"
        line = PathPatch(_path(mark), fill=False, edgecolor=colour, linewidth=width, linestyle=style, capstyle="butt")
        if not mark.arrow:
            return [line]
        return [line, Polygon(list(mark.head), closed=True, facecolor=colour, edgecolor="none")]

    def _sum(self, mark: Sum) -> list[Artist]:
        colour, x, y, r = self.palette[mark.stroke], mark.x, mark.y, mark.radius
        width = 1.2 * self.scale
        strokes = (((x - r, x + r), (y, y)), ((x, x), (y - r, y + r)))
        circle = Circle((x, y), r, fill=False, edgecolor=colour, linewidth=width)
        return [circle, *(Line2D(across, down, color=colour, linewidth=width) for across, down in strokes)]

    def _text(self, mark: TextMark) -> Artist:
        return Words(
            mark.x,
            mark.y,
            mark.text,
            fontsize=mark.size * self.scale,
            color=self.palette[mark.fill],
            weight="bold" if mark.bold else "normal",
            rotation=90 if mark.upwards else 0,
            horizontalalignment="left" if mark.anchor == "start" else "center",
            verticalalignment="center",
            parse_math=False,
        )


def _path(line: Polyline) -> Path:
    points: list[Point] = [line.points[0]]
    codes = [Path.MOVETO]
    for before, corner, after in zip(line.points, line.points[1:], line.points[2:], strict=False):
        points += [toward(corner, before, line.radius), corner, toward(corner, after, line.radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*points, line.points[-1]], [*codes, Path.LINETO])
