"""Charts as SVG inside a page of HTML, each for wide and for narrow screens.

Their colours are variables of the page, which has a light and a dark theme.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from caedsl.diagnostics.text import printable
from caedsl.evaluation.schema import SweepRecord
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Trouble

HEIGHT = 3.1
"""Height of a chart without its legend, in inches."""
SERIES = 10
"""Number of colours that the page has for series and classes."""
_WIDE_RANGE = 8.0
"""Ratio of the largest to the smallest loss from which the axis is logarithmic."""
_VERY_WIDE_RANGE = 50.0
"""The same ratio for axes of other numbers."""
_MANY_DECADES = 1e3
"""Ratio of its ends from which a logarithmic axis has no room for labels between the decades."""
_BINS = 32
_LETTER = 0.125
"""Height of the letters of a legend, in inches."""
_MOST_MARKS = 20

Parameters = ParamSpec("Parameters")


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


def _on_each_screen(chart: Callable[Concatenate[Screen, Parameters], str]) -> Callable[Parameters, str]:
    """Return a function that draws a chart for every screen."""

    @wraps(chart)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> str:
        return "".join(f'<div class="{screen.name}">{chart(screen, *args, **kwargs)}</div>' for screen in SCREENS)

    return drawn


# Placeholders: matplotlib needs concrete colours, and the page replaces these by its variables.
_INK, _FAINT, _LINE = "#010101", "#020202", "#030303"
_VARIABLES = {_INK: "ink", _FAINT: "faint", _LINE: "line"}


def _series(number: int) -> str:
    return f"#0400{number % SERIES:02x}"


_VARIABLES |= {_series(number): f"series-{number}" for number in range(SERIES)}


@_on_each_screen
def loss_curves(screen: Screen, epochs: Sequence[Epoch], best: int | None, troubles: Sequence[Trouble]) -> str:
    """Return the losses by epoch: training, validation and each term; mark monitors' findings and the best epoch."""
    x = [row.epoch for row in epochs]
    lines: dict[str, list[float]] = {"training": [row.reconstruction for row in epochs]}
    if all(row.validation is not None for row in epochs):
        lines["validation"] = [row.validation or 0.0 for row in epochs]
    terms = {name: [row.terms.get(name, float("nan")) for row in epochs] for name in epochs[0].terms}
    lines |= {name: values for name, values in terms.items() if values != lines["training"]}
    if any(row.loss != row.reconstruction for row in epochs):
        lines["training with penalties"] = [row.loss for row in epochs]
    with _style():
        figure, axes = _axes(screen, "epoch", "loss")
        _whole_numbers(axes.xaxis)
        for number, (name, values) in enumerate(lines.items()):
            axes.plot(x, values, color=_series(number), label=name, linewidth=1.8, marker="o" if len(x) == 1 else None)
        finite = [value for values in lines.values() for value in values if np.isfinite(value)]
        if min(finite) > 0 and max(finite) > _WIDE_RANGE * min(finite):
            axes.set_yscale("log")
            _plain_numbers(axes.yaxis)
        if best is not None:
            axes.axvline(best, color=_FAINT, linewidth=1, linestyle=":", label=f"best epoch, {best}")
        marks = sorted({trouble.epoch for trouble in troubles})[:_MOST_MARKS]
        for epoch in marks:
            axes.plot([epoch], [0.03], marker="^", color=_series(1), transform=axes.get_xaxis_transform(), markersize=8)
        _legend(screen, axes)
        return _svg(figure, screen, "losses")


@_on_each_screen
def lines(
    screen: Screen, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, name: str
) -> str:
    """Return curves, each with its own x and colour; an axis of wide range is logarithmic.

    ``name`` distinguishes the chart from others on the same page.
    """
    with _style():
        figure, axes = _axes(screen, x, y)
        for number, (label, (across, up)) in enumerate(curves.items()):
            marker = "o" if len(across) == 1 else None
            axes.plot(across, up, color=_series(number), label=label, linewidth=1.8, marker=marker)
        for axis, scale, place in ((axes.xaxis, axes.set_xscale, 0), (axes.yaxis, axes.set_yscale, 1)):
            values = [value for curve in curves.values() for value in curve[place] if np.isfinite(value)]
            if values and min(values) > 0 and max(values) > _VERY_WIDE_RANGE * min(values):
                scale("log")
                _plain_numbers(axis)
            elif axis is axes.xaxis and all(float(value).is_integer() for value in values):
                _whole_numbers(axis)
        _legend(screen, axes)
        return _svg(figure, screen, name)


@_on_each_screen
def histogram(screen: Screen, groups: dict[str, NDArray[np.float64]], threshold: float | None, unit: str) -> str:
    """Return the histogram of scores, one colour per group, with the threshold as a line."""
    values = np.concatenate(list(groups.values()))
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    logarithmic = low > 0 and high > _WIDE_RANGE * low
    bins = np.geomspace(low, high, _BINS) if logarithmic else np.linspace(low, high if high > low else low + 1, _BINS)
    with _style():
        figure, axes = _axes(screen, unit, "samples")
        _whole_numbers(axes.yaxis)
        for number, (name, scores) in enumerate(groups.items()):
            label = f"{_label(name)} ({len(scores):,})"
            axes.hist(scores, bins=list(bins), color=_series(number), alpha=0.7, label=label)
        if logarithmic:
            axes.set_xscale("log")
            _plain_numbers(axes.xaxis)
        if threshold is not None:
            axes.axvline(threshold, color=_INK, linewidth=1.4, linestyle="--", label="threshold")
        _legend(screen, axes)
        return _svg(figure, screen, "scores")


@_on_each_screen
def sweep_curves(screen: Screen, sweep: SweepRecord) -> str:
    """Return the PSNR of each predictor by the amount of a corruption, with the training amount as a line."""
    amounts = [row.amount for row in sweep.rows]
    with _style():
        figure, axes = _axes(screen, sweep.corruption, "PSNR in dB")
        names = dict.fromkeys(name for row in sweep.rows for name in row.scores)
        for number, name in enumerate(names):
            psnr = [row.scores[name].psnr if name in row.scores else None for row in sweep.rows]
            values = [float("nan") if value is None else value for value in psnr]
            width = 2.4 if number == 0 else 1.4
            axes.plot(amounts, values, color=_series(number), label=name, linewidth=width, marker="o", markersize=4)
        ends = sweep.trained if isinstance(sweep.trained, tuple) else (sweep.trained,)
        shown = [end for end in ends if min(amounts) <= end <= max(amounts)]
        for number, end in enumerate(shown):
            label = "" if number else "amount in training" if len(ends) == 1 else "ends of the amounts in training"
            axes.axvline(end, color=_FAINT, linewidth=1, linestyle=":", label=label)
        _legend(screen, axes)
        return _svg(figure, screen, "sweep")


@_on_each_screen
def unit_deviations(screen: Screen, deviations: NDArray[np.float64]) -> str:
    """Return the standard deviation of each unit of the codes, in descending order."""
    ordered = np.sort(deviations)[::-1]
    with _style():
        figure, axes = _axes(screen, "units, the most varying first", "standard deviation", height=2.2)
        _whole_numbers(axes.xaxis)
        axes.fill_between(
            np.arange(len(ordered) + 1), np.append(ordered, 0), step="post", color=_series(0), linewidth=0
        )
        axes.set_xlim(0, len(ordered))
        axes.set_ylim(0)
        return _svg(figure, screen, "units")


@_on_each_screen
def code_plot(
    screen: Screen, points: NDArray[np.float64], classes: Sequence[str] | None, explained: Sequence[float]
) -> str:
    """Return codes on their two leading principal components, N×2, one colour per class.

    ``explained`` are the shares of the variance of both components.
    """
    labels = [f"component {number + 1}: {share:.0%} of the variance" for number, share in enumerate(explained)]
    with _style():
        figure, axes = _axes(screen, labels[0], labels[1], height=4.4)
        if classes is None:
            axes.scatter(points[:, 0], points[:, 1], s=9, color=_series(0), alpha=0.7, linewidths=0)
            return _svg(figure, screen, "codes")
        of = np.array(classes)
        for number, own in enumerate(sorted(set(classes))):
            (x, y), name = points[of == own].T, _label(own)
            axes.scatter(x, y, s=9, color=_series(number), alpha=0.7, linewidths=0, label=name)
            axes.text(
                float(np.median(x)), float(np.median(y)), name, color=_INK, fontweight="bold", ha="center", va="center"
            )
        _legend(screen, axes, handle=1.0, markerscale=2.0)
        return _svg(figure, screen, "codes")


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "caedsl",  # reproducible identifiers
            "font.size": 10,
            "text.parse_math": False,  # a name is text, whatever it contains
            "text.color": _INK,
            "axes.labelcolor": _FAINT,
            "axes.edgecolor": _LINE,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "grid.color": _LINE,
            "xtick.color": _FAINT,
            "ytick.color": _FAINT,
            "legend.frameon": False,
        }
    )


def _label(name: str) -> str:
    """Return the name of a file or class as text of a chart; matplotlib omits labels that begin with ``_``."""
    return printable(f" {name}" if name.startswith("_") else name)


def _axes(screen: Screen, x: str, y: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    figure = Figure((screen.width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend(screen: Screen, axes: Axes, handle: float = 2.0, markerscale: float = 1.0) -> None:
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


def _whole_numbers(axis: Axis) -> None:
    """Label an axis of counts with whole numbers only."""
    axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def _plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers such as 0.02; if it has many decades, label only their starts."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < _MANY_DECADES * low else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _svg(figure: Figure, screen: Screen, name: str) -> str:
    text = io.StringIO()
    with warnings.catch_warnings():
        # The reader's browser has fonts for what matplotlib's own lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    # Make identifiers unique on a page with several charts.
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
