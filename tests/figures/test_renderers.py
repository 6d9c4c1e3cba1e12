"""SVG files look right wherever they are drawn: in programs that know no CSS variables and no media queries too."""

import re
from pathlib import Path

import pytest
from PIL import Image

from caedsl.figures.drawing import Box, Drawing, TextMark
from caedsl.figures.errors import FigureError
from caedsl.figures.graph import render
from caedsl.figures.layout import layout
from caedsl.figures.palette import LIGHT
from caedsl.figures.svg import svg
from tests.figures.gallery import SPECS, model_of
from tests.figures.renderers import RENDERERS

TOLERANCE = 6


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def is_near(pixel: tuple[int, ...], colour: str) -> bool:
    return max(abs(a - b) for a, b in zip(pixel, rgb(colour), strict=True)) <= TOLERANCE


def pixel_at(image: Image.Image, drawing: Drawing, x: float, y: float) -> tuple[int, ...]:
    pixel = image.getpixel((round(x * image.width / drawing.width), round(y * image.height / drawing.height)))
    assert isinstance(pixel, tuple)
    return pixel


def reach(image: Image.Image, drawing: Drawing, text: TextMark, colour: str) -> int:
    """Return the distance of a text's pixels from ``colour`` in channel values: 0 if one has it."""
    scale = image.width / drawing.width
    bounds = text.bounds
    letters = image.crop(tuple(round(side * scale) for side in (bounds.left, bounds.top, bounds.right, bounds.bottom)))
    pixels = [letters.getpixel((x, y)) for x in range(letters.width) for y in range(letters.height)]
    return min(max(abs(a - b) for a, b in zip(pixel, rgb(colour), strict=True)) for pixel in pixels)


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", ["mirror", "residual"])
def test_every_renderer_draws_the_light_colours(renderer: str, name: str, tmp_path: Path) -> None:
    drawing = layout(model_of(SPECS[name]))
    path = tmp_path / "figure.svg"
    path.write_text(svg(drawing), "utf-8")
    image = RENDERERS[renderer](path)
    assert image.width / image.height == pytest.approx(drawing.width / drawing.height, rel=0.01)
    assert pixel_at(image, drawing, 3, drawing.height - 3) == (255, 255, 255)
    for mark in drawing.marks():
        if isinstance(mark, Box) and mark.fill:
            pixel = pixel_at(image, drawing, mark.x + 4, mark.y + 4)
            assert is_near(pixel, LIGHT[mark.fill]), (mark, pixel)
        elif isinstance(mark, TextMark) and mark.size > 10:
            assert reach(image, drawing, mark, LIGHT[mark.fill]) <= 40, mark


@pytest.mark.parametrize("renderer", RENDERERS)
def test_every_renderer_draws_the_blocks(renderer: str, tmp_path: Path) -> None:
    path = tmp_path / "blocks.svg"
    try:
        text = str(render(model_of(SPECS["mirror"]), "svg", "blocks"))
    except FigureError as error:
        pytest.skip(str(error).splitlines()[0])
    assert "transparent" not in text
    path.write_text(text, "utf-8")
    image = RENDERERS[renderer](path)
    colours = image.getcolors(1 << 24)
    assert colours
    assert sum(count for count, pixel in colours if max(pixel) < 60) > 500, "no text"  # type: ignore[arg-type]
    for part in ("encoder", "decoder", "bottleneck"):
        drawn = sum(count for count, pixel in colours if is_near(pixel, LIGHT[f"{part}-fill"]))  # type: ignore[arg-type]
        assert drawn > 1000, part


def test_no_rule_holds_outside_the_dark_scheme() -> None:
    text = svg(layout(model_of(SPECS["mirror"])))
    rules = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert rules is not None
    assert re.fullmatch(r"\s*@media screen and \(prefers-color-scheme: dark\) \{[^@]*\}\s*\}\s*", rules[1])
    assert "var(" not in text
