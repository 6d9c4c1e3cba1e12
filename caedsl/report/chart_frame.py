"""Frame of the charts in a page of HTML: screens, colours, axes and legends.

A chart is drawn once for wide and once for narrow screens. Its colours are variables of the page, which has a light and
a dark theme.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from caedsl.diagnostics.text import printable
from caedsl.vocabulary.spelling import number_text

_HEIGHT = 3.1
"""Height of a chart without its legend, in inches."""
_SERIES = 10
"""Number of colours that the page has for series and classes."""
_MANY_ACROSS, _MANY_UP = 200.0, 1e3
"""Ratio of its ends from which a logarithmic axis, across or up, has no room for labels between the decades."""
_LETTER = 0.125
"""Height of the letters of a legend, in inches."""

_Parameters = ParamSpec("_Parameters")


class Screen(NamedTuple):
    """Kind of screen, by its class in the page's style, and the width of a chart on it in inches."""

    name: str
    width: float

    @property
    def legend(self) -> float:
        """Width that a row of a legend may take, in inches."""
        return self.width - 0.8


SCREENS = (Screen("wide", 7.2), Screen("narrow", 4.2))
"""The page shows one of them, so that text keeps its size and nothing has to be scrolled."""


def on_each_screen(chart: Callable[Concatenate[Screen, _Parameters], str]) -> Callable[_Parameters, str]:
    """Return a function that draws a chart for every screen."""

    @wraps(chart)
    def drawn(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> str:
        return "".join(f'<div class="{screen.name}">{chart(screen, *args, **kwargs)}</div>' for screen in SCREENS)

    return drawn


INK, FAINT, _LINE = "#010101", "#020202", "#030303"
"""Placeholders: matplotlib needs concrete colours, and the page replaces these by its variables."""
_VARIABLES = {INK: "ink", FAINT: "faint", _LINE: "line"}


def series(number: int) -> str:
    """Return the colour of a curve or class by its number; there are ``_SERIES``."""
    return f"#0400{number % _SERIES:02x}"


_VARIABLES |= {series(number): f"series-{number}" for number in range(_SERIES)}


def chart_style() -> AbstractContextManager[None]:
    """Return a context in which charts have the fonts and colours of the page."""
    return mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "caedsl",  # reproducible identifiers
            "font.size": 10,
            "text.parse_math": False,  # a name is text, whatever it contains
            "text.color": INK,
            "axes.labelcolor": FAINT,
            "axes.edgecolor": _LINE,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "grid.color": _LINE,
            "xtick.color": FAINT,
            "ytick.color": FAINT,
            "legend.frameon": False,
        }
    )


def legend_text(name: str) -> str:
    """Return the name of a file or class as text of a chart; matplotlib omits labels that begin with ``_``."""
    return printable(f" {name}" if name.startswith("_") else name)


def chart_axes(screen: Screen, x: str, y: str, height: float = _HEIGHT) -> tuple[Figure, Axes]:
    """Return a new chart with the labels of its axes; ``height`` is in inches, without the legend."""
    figure = Figure((screen.width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw_legend(screen: Screen, axes: Axes, handle: float = 2.0, markerscale: float = 1.0) -> None:
    """Draw the legend above the chart, where it hides no curve; ``handle`` is the length of its lines in letters."""
    names = axes.get_legend_handles_labels()[1]
    entry = _LETTER * (handle + 2.4) + 0.075 * max(map(len, names))
    rows = -(-len(names) // max(1, int(screen.legend / entry)))
    columns = -(-len(names) // rows)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_figheight(figure.get_figheight() + 0.2 * rows)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.2,
        ncols=columns,
        handlelength=handle,
        handletextpad=0.8,
        columnspacing=1.6,
        markerscale=markerscale,
        fontsize=72 * _LETTER,
    )


def whole_numbers(axis: Axis) -> None:
    """Label an axis of counts with whole numbers only."""
    axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers such as 0.02; if it has many decades, label only their starts."""
    low, high = axis.get_view_interval()
    many = _MANY_ACROSS if isinstance(axis, XAxis) else _MANY_UP
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < many * low else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
    axis.set_minor_formatter(NullFormatter())


def chart_svg(figure: Figure, screen: Screen, name: str) -> str:
    """Return a chart as an ``svg`` element; ``name`` makes its identifiers unique on a page with several charts."""
    text = io.StringIO()
    with warnings.catch_warnings():
        # The reader's browser has fonts for what matplotlib's own lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    for id_ in sorted(set(re.findall(r'id="([^"]+)"', drawn)), key=len, reverse=True):
        drawn = re.sub(rf'(id="|#){re.escape(id_)}(?=["\)])', rf"\g<1>{screen.name}-{name}-{id_}", drawn)
    drawn = re.sub(
        r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"|(<svg[^>]*?) width="[^"]*"', r"\1\2\3", drawn, count=1
    )
    return _coloured(drawn, _VARIABLES.items())


def _coloured(drawn: str, variables: Iterable[tuple[str, str]]) -> str:
    for colour, variable in variables:
        drawn = drawn.replace(colour, f"var(--{variable})")
    return drawn
