"""Charts and pages have legible text."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from caedsl.report.charts import code_plot, histogram, lines, unit_deviations
from caedsl.report.page import page_templates
from caedsl.report.shown import heat_uri, picture_uri
from caedsl.runs.history import Epoch, thinned
from caedsl.training.pixel_range import PixelRange


def words(drawn: str, screen: str = "wide") -> dict[str, float]:
    """Return the texts of a screen chart with their y coordinates, where the smallest is the topmost."""
    drawn = next(part for part in drawn.split('<div class="') if part.startswith(screen))
    found = re.findall(r"<text [^>]*?(?:translate\([\d.-]+ ([\d.-]+)\)|y=\"([\d.-]+)\")[^>]*>([^<]+)</text>", drawn)
    return {text: float(moved or placed) for moved, placed, text in found}


@pytest.mark.parametrize("screen", ["wide", "narrow"])
@pytest.mark.parametrize("curves", [1, 4, 9])
def test_the_legend_stands_over_the_chart_and_hides_no_curve(curves: int, screen: str) -> None:
    names = [f"curve number {number}" for number in range(curves)]
    found = words(lines(dict.fromkeys(names, ((0, 1, 2), (3, 2, 1))), "steps", "loss", "a"), screen)
    numbers = [y for text, y in found.items() if text not in (*names, "steps", "loss")]
    assert len(numbers) > 4
    assert max(found[name] for name in names) < min(numbers)


@pytest.mark.parametrize("classes", [2, 10, 30])
def test_the_legend_of_many_classes_stays_within_the_chart(classes: int) -> None:
    points = np.random.default_rng(0).random((2 * classes, 2)) - 0.5
    drawings = code_plot(points, [str(n) for n in range(classes)] * 2, [0.5, 0.3]).split("<div ")[1:]
    assert drawings
    for drawn in drawings:
        found = re.search(r'viewBox="0 0 ([\d.]+)', drawn)
        assert found is not None
        places = [
            float(moved or x) for moved, x in re.findall(r'<text [^>]*?(?:translate\(([\d.-]+)|x="([\d.-]+)")', drawn)
        ]
        assert len(places) > 2 * classes
        assert max(places) < float(found[1]) - 12


def test_names_of_classes_are_text() -> None:
    r"""Matplotlib omits labels that begin with ``_``, and sets ``$\frac$`` as mathematics."""
    names = ["_a", r"$\frac$", "\x1b[31m", "\u202eb"]
    drawn = code_plot(np.zeros((4, 2)), names, [0.5, 0.3])
    assert not set("\x1b\u202e") & set(drawn)
    for shown in (" _a", r"$\frac$", "\u241b[31m", "\ufffdb"):
        assert drawn.count(f">{shown}</text>") == 4  # at its place and in the legend, on either screen


@pytest.mark.parametrize("scores", [[-1e308, 1e308], [-1e307, 1e307], [0, 1.7e308]])
def test_scores_too_far_apart_for_bins_have_no_histogram(scores: list[float]) -> None:
    assert "<svg" not in histogram({"normal": np.array(scores)}, None, "score mse")
    assert "<svg" in histogram({"normal": np.array(scores) / 1e300}, None, "score mse")


def test_units_have_whole_numbers() -> None:
    units = words(unit_deviations(np.ones(2)))
    assert {"0", "1", "2"} <= units.keys()
    assert "0.5" not in [text for text, y in units.items() if y == units["2"]]


def test_steps_have_whole_numbers() -> None:
    found = words(lines({"a": ((0, 9, 18), (3, 2, 1))}, "steps", "loss", "a"))
    bottom = max(y for text, y in found.items() if text != "steps")
    assert all(text.isdigit() for text, y in found.items() if y == bottom)


def test_an_axis_of_steps_ends_with_the_curves() -> None:
    drawn = lines({"a": ((0, 50, 100), (3, 2, 1))}, "steps", "loss", "a").split("<div ")[1]
    paths = re.findall(r"<path [^>]*>", drawn)
    curve, frame = ("".join(path for path in paths if f"--{colour}" in path) for colour in ("series-0", "line"))
    ends = [max(float(x) for x in re.findall(r"[ML] ([\d.]+) ", path)) for path in (curve, frame)]
    assert ends[0] == pytest.approx(ends[1])


def test_the_error_of_a_signal_has_the_size_of_its_plot() -> None:
    shown = [picture_uri(torch.rand(1, 50), PixelRange(0.0, 1.0)), heat_uri(torch.rand(50))]
    assert len({Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))).size for uri in shown}) == 1


@pytest.mark.parametrize(
    ("rates", "labels"),
    [
        ([1e-6, 0.5], ["1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1"]),
        ([1e-5, 3e-3], ["1e-5", "0.0001", "0.001"]),  # on a narrow screen, more would overlap
        ([0.01, 1.0], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
    ],
)
def test_an_axis_of_many_decades_names_the_decades_alone(rates: list[float], labels: list[str]) -> None:
    drawn = lines({"loss": (rates, [1.5, 1.5])}, "rate", "loss", "a")
    lowest = max(y for text, y in words(drawn).items() if text != "rate")
    assert [text for text, y in words(drawn).items() if y == lowest] == labels


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 21, 1234])
def test_a_thinned_history_keeps_its_end_its_spikes_and_its_best(count: int) -> None:
    loss = {5: 9.0, 700: 0.1, 701: 8.0}
    epochs = [Epoch(n, n, 1.0, loss.get(n, 1.0), None, 0.1, 0.0, 0.0) for n in range(count)]
    kept = [row.epoch for row in thinned(epochs, 10)]
    assert kept == sorted(set(kept)), "in their order, each once"
    assert len(kept) <= 21
    assert count > 10 or kept == list(range(count))
    assert set(kept) >= {count - 1, *(n for n in loss if n < count)} - {-1}


def test_identifiers_of_a_page_are_unique() -> None:
    drawn = "".join(lines({"loss": ((0, 1), (2, 1))}, "steps", "loss", name) for name in "ab")
    identifiers = re.findall(r'id="([^"]+)"', drawn)
    assert len(identifiers) == len(set(identifiers)) > 40


def test_what_stands_between_backticks_is_code_and_all_else_is_escaped() -> None:
    code = page_templates().filters["code"]
    assert code("use `lr=1e-3`, not <b>`a<b`") == "use <code>lr=1e-3</code>, not &lt;b&gt;<code>a&lt;b</code>"
