"""Looks: the width, the size of the text, the title and the colours that are asked for are those of the file."""

import re
import struct
from io import BytesIO

import pypdf
import pytest

from caedsl.figures.columns import DETAIL_SIZE
from caedsl.figures.drawing import Area, Box, Drawing, Polyline, TextMark
from caedsl.figures.errors import FigureError
from caedsl.figures.graph import render
from caedsl.figures.layout import layout
from caedsl.figures.look import POINTS_PER_CM, Look
from caedsl.figures.page_width import LEAST_POINTS
from caedsl.figures.palette import GREY, GREY_DARK, LIGHT
from caedsl.figures.raster import RESOLUTION
from tests.figures.gallery import SPECS, model_of
from tests.figures.legibility import assert_legible

PAGE = 17.0
"""The width of a page's text, in centimetres."""
A4 = 29.7


def points(drawing: Drawing) -> float:
    """Return the size of the smallest text on paper."""
    return min(mark.size for mark in drawing.marks() if isinstance(mark, TextMark)) * (drawing.scale or 1.0)


def axes(drawing: Drawing) -> list[float]:
    """Return the heights of the rows of slabs, from top to bottom."""
    return sorted({round(m.y + m.height / 2, 3) for m in drawing.marks() if isinstance(m, Box)})


@pytest.mark.parametrize("name", SPECS)
def test_every_model_is_legible_on_a_page(name: str) -> None:
    drawing = layout(model_of(SPECS[name]), Look(width=PAGE))
    assert_legible(drawing)
    assert drawing.scale is not None
    assert drawing.width * drawing.scale == pytest.approx(PAGE * POINTS_PER_CM)
    assert points(drawing) >= LEAST_POINTS - 1e-9
    assert drawing.height * drawing.scale < A4 * POINTS_PER_CM


def test_a_figure_stays_in_one_row_where_its_text_stays_legible() -> None:
    model = model_of(SPECS["mirror"])
    assert len(axes(layout(model))) == len(axes(layout(model, Look(width=30)))) == 1
    assert len(axes(layout(model, Look(width=PAGE)))) == 2


def test_every_slab_of_a_broken_figure_is_there_once() -> None:
    model = model_of(SPECS["deep"])
    whole, broken = ([m.text for m in layout(model, look).marks() if isinstance(m, TextMark) and m.upwards]
                     for look in (Look(), Look(width=PAGE)))  # fmt: skip
    assert whole == broken


def test_a_shortcut_continues_in_the_next_row() -> None:
    drawing = layout(model_of(SPECS["residual"]), Look(width=PAGE))
    edge = drawing.width - 20
    broken = [
        m for m in drawing.marks() if isinstance(m, Polyline) and m.stroke == "shortcut" and m.points[-1][0] == edge
    ]
    resumed = [
        m for m in drawing.marks() if isinstance(m, Polyline) and m.stroke == "shortcut" and m.points[0][0] == 20
    ]
    assert len(broken) == len(resumed) > 0


def test_the_ground_runs_to_both_ends_of_a_break() -> None:
    drawing = layout(model_of(SPECS["deep"]), Look(width=PAGE))
    areas = [mark for mark in drawing.marks() if isinstance(mark, Area)]
    rows = len(axes(drawing))
    assert sum(area.points[1][0] == pytest.approx(drawing.width - 20) for area in areas) == rows - 1
    assert sum(area.points[0][0] == pytest.approx(20) for area in areas) == rows - 1


@pytest.mark.parametrize("look", [Look(font_size=6), Look(width=25, font_size=6)])
def test_the_smallest_text_has_the_size_asked_for(look: Look) -> None:
    assert points(layout(model_of(SPECS["mirror"]), look)) == pytest.approx(6)


def test_files_have_the_width_asked_for() -> None:
    model, look = model_of(SPECS["stages"]), Look(width=PAGE)
    svg, png, pdf = (render(model, format, "hourglass", look) for format in ("svg", "png", "pdf"))
    assert isinstance(svg, str)
    assert isinstance(png, bytes)
    assert isinstance(pdf, bytes)
    width = re.search(r'width="([\d.]+)"', svg)
    assert width is not None
    assert float(width[1]) == pytest.approx(PAGE / 2.54 * 96, abs=0.1)
    assert struct.unpack(">I", png[16:20])[0] == pytest.approx(PAGE / 2.54 * RESOLUTION, abs=2)
    page = pypdf.PdfReader(BytesIO(pdf)).pages[0]
    assert float(page.mediabox.width) == pytest.approx(PAGE * POINTS_PER_CM, abs=0.1)


def test_a_figure_that_cannot_fit_names_the_width_it_needs() -> None:
    with pytest.raises(FigureError, match=r"1 cm has no room for text of 7 points.*needs [\d.]+ cm") as caught:
        layout(model_of(SPECS["mirror"]), Look(width=1))
    needed = re.search(r"needs ([\d.]+) cm", str(caught.value))
    assert needed is not None
    layout(model_of(SPECS["mirror"]), Look(width=float(needed[1]) + 0.1))


@pytest.mark.parametrize("options", [{"width": 0}, {"width": -3}, {"width": float("nan")}, {"font_size": float("inf")}])
def test_sizes_without_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(FigureError, match="above 0"):
        Look(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("format", "style"), [("svg", "hourglass"), ("mmd", "blocks"), ("dot", "blocks")])
def test_the_title_can_be_left_out(format: str, style: str) -> None:
    model = model_of(SPECS["stages"])
    titled, untitled = (str(render(model, format, style, Look(title=title))) for title in (True, False))  # type: ignore[arg-type]
    assert titled.count("staged") == untitled.count("staged") + 1


@pytest.mark.parametrize(("format", "style"), [("svg", "hourglass"), ("mmd", "blocks"), ("dot", "blocks")])
def test_grey_has_no_colour(format: str, style: str) -> None:
    text = str(render(model_of(SPECS["residual"]), format, style, Look(grey=True)))  # type: ignore[arg-type]
    used = set(re.findall(r"#[0-9a-f]{6}\b", text)) - {"#ffffff", "#7d8590"}
    assert GREY["encoder-fill"] in used
    assert used <= {*GREY.values(), *GREY_DARK.values()}
    for colour in used:
        assert colour[1:3] == colour[3:5] == colour[5:7]
    assert GREY.keys() == GREY_DARK.keys() == LIGHT.keys()


def test_blocks_scale_with_their_width_or_their_text() -> None:
    model = model_of(SPECS["mirror"])
    assert 'size="6.6929,1000!"' in str(render(model, "dot", "blocks", Look(width=PAGE)))
    assert "fontsize=22" in str(render(model, "dot", "blocks", Look(font_size=20)))
    with pytest.raises(FigureError, match="not both"):
        render(model, "dot", "blocks", Look(width=PAGE, font_size=8))
    with pytest.raises(FigureError, match="Mermaid text has neither"):
        render(model, "mmd", "blocks", Look(width=PAGE))


def test_the_smallest_text_is_that_of_the_details() -> None:
    assert points(layout(model_of(SPECS["deep_svdd"]))) == DETAIL_SIZE
