"""Charts as SVG inside a page of HTML."""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from caedsl.evaluation.schema import SweepRecord
from caedsl.report.chart_frame import (
    FAINT,
    INK,
    Screen,
    chart_axes,
    chart_style,
    chart_svg,
    draw_legend,
    legend_text,
    on_each_screen,
    plain_numbers,
    series,
    whole_numbers,
)
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Trouble

_WIDE_RANGE = 8.0
"""Ratio of the largest to the smallest loss from which the axis is logarithmic."""
_VERY_WIDE_RANGE = 50.0
"""The same ratio for axes of other numbers."""
_BINS = 32
_MOST_MARKS = 20


@on_each_screen
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
    with chart_style():
        figure, axes = chart_axes(screen, "epoch", "loss")
        whole_numbers(axes.xaxis)
        for number, (name, values) in enumerate(lines.items()):
            axes.plot(x, values, color=series(number), label=name, linewidth=1.8, marker="o" if len(x) == 1 else None)
        finite = [value for values in lines.values() for value in values if np.isfinite(value)]
        if min(finite) > 0 and max(finite) > _WIDE_RANGE * min(finite):
            axes.set_yscale("log")
            plain_numbers(axes.yaxis)
        if best is not None:
            axes.axvline(best, color=FAINT, linewidth=1, linestyle=":", label=f"best epoch, {best}")
        marks = sorted({trouble.epoch for trouble in troubles})[:_MOST_MARKS]
        for epoch in marks:
            axes.plot([epoch], [0.03], marker="^", color=series(1), transform=axes.get_xaxis_transform(), markersize=8)
        draw_legend(screen, axes)
        return chart_svg(figure, screen, "losses")


@on_each_screen
def lines(
    screen: Screen, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str, name: str
) -> str:
    """Return curves, each with its own x and colour; an axis of wide range is logarithmic.

    ``name`` distinguishes the chart from others on the same page.
    """
    with chart_style():
        figure, axes = chart_axes(screen, x, y)
        for number, (label, (across, up)) in enumerate(curves.items()):
            marker = "o" if len(across) == 1 else None
            axes.plot(across, up, color=series(number), label=label, linewidth=1.8, marker=marker)
        for axis, scale, place in ((axes.xaxis, axes.set_xscale, 0), (axes.yaxis, axes.set_yscale, 1)):
            values = [value for curve in curves.values() for value in curve[place] if np.isfinite(value)]
            if values and min(values) > 0 and max(values) > _VERY_WIDE_RANGE * min(values):
                scale("log")
                plain_numbers(axis)
            elif axis is axes.xaxis and all(float(value).is_integer() for value in values):
                whole_numbers(axis)
                axes.margins(x=0)  # such as steps, of which there are none before the first and after the last
        draw_legend(screen, axes)
        return chart_svg(figure, screen, name)


@on_each_screen
def histogram(screen: Screen, groups: dict[str, NDArray[np.float64]], threshold: float | None, unit: str) -> str:
    """Return the histogram of scores, one colour per group, with the threshold as a line.

    It is empty if the scores are too far apart for its bins.
    """
    values = np.concatenate(list(groups.values()))
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if not isfinite((high - low) * _BINS):
        return ""
    logarithmic = low > 0 and high > _WIDE_RANGE * low
    bins = np.geomspace(low, high, _BINS) if logarithmic else np.linspace(low, high if high > low else low + 1, _BINS)
    with chart_style():
        figure, axes = chart_axes(screen, unit, "samples")
        whole_numbers(axes.yaxis)
        for number, (name, scores) in enumerate(groups.items()):
            label = f"{legend_text(name)} ({len(scores):,})"
            axes.hist(scores, bins=list(bins), color=series(number), alpha=0.7, label=label)
        if logarithmic:
            axes.set_xscale("log")
            plain_numbers(axes.xaxis)
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1.4, linestyle="--", label="threshold")
        draw_legend(screen, axes)
        return chart_svg(figure, screen, "scores")


@on_each_screen
def sweep_curves(screen: Screen, sweep: SweepRecord) -> str:
    """Return the PSNR of each predictor by the amount of a corruption, with the training amount as a line."""
    amounts = [row.amount for row in sweep.rows]
    with chart_style():
        figure, axes = chart_axes(screen, sweep.corruption, "PSNR in dB")
        names = dict.fromkeys(name for row in sweep.rows for name in row.scores)
        for number, name in enumerate(names):
            psnr = [row.scores[name].psnr if name in row.scores else None for row in sweep.rows]
            values = [float("nan") if value is None else value for value in psnr]
            width = 2.4 if number == 0 else 1.4
            axes.plot(amounts, values, color=series(number), label=name, linewidth=width, marker="o", markersize=4)
        ends = sweep.trained if isinstance(sweep.trained, tuple) else (sweep.trained,)
        shown = [end for end in ends if min(amounts) <= end <= max(amounts)]
        for number, end in enumerate(shown):
            label = "" if number else "amount in training" if len(ends) == 1 else "ends of the amounts in training"
            axes.axvline(end, color=FAINT, linewidth=1, linestyle=":", label=label)
        draw_legend(screen, axes)
        return chart_svg(figure, screen, "sweep")


@on_each_screen
def unit_deviations(screen: Screen, deviations: NDArray[np.float64]) -> str:
    """Return the standard deviation of each unit of the codes, in descending order."""
    ordered = np.sort(deviations)[::-1]
    with chart_style():
        figure, axes = chart_axes(screen, "units, the most varying first", "standard deviation", height=2.2)
        whole_numbers(axes.xaxis)
        axes.fill_between(np.arange(len(ordered) + 1), np.append(ordered, 0), step="post", color=series(0), linewidth=0)
        axes.set_xlim(0, len(ordered))
        axes.set_ylim(0)
        return chart_svg(figure, screen, "units")


@on_each_screen
def code_plot(
    screen: Screen, points: NDArray[np.float64], classes: Sequence[str] | None, explained: Sequence[float]
) -> str:
    """Return codes on their two leading principal components, N×2, one colour per class.

    ``explained`` are the shares of the variance of both components.
    """
    labels = [f"component {number + 1}: {share:.0%} of the variance" for number, share in enumerate(explained)]
    with chart_style():
        figure, axes = chart_axes(screen, labels[0], labels[1], height=4.4)
        if classes is None:
            axes.scatter(points[:, 0], points[:, 1], s=9, color=series(0), alpha=0.7, linewidths=0)
            return chart_svg(figure, screen, "codes")
        of = np.array(classes)
        for number, own in enumerate(sorted(set(classes))):
            (x, y), name = points[of == own].T, legend_text(own)
            axes.scatter(x, y, s=9, color=series(number), alpha=0.7, linewidths=0, label=name)
            axes.text(
                float(np.median(x)), float(np.median(y)), name, color=INK, fontweight="bold", ha="center", va="center"
            )
        draw_legend(screen, axes, handle=1.0, markerscale=2.0)
        return chart_svg(figure, screen, "codes")
