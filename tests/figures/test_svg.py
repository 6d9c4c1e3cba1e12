"""SVG text: well-formed, the same every time, readable in light and dark."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from caedsl.figures.layout import layout
from caedsl.figures.palette import DARK, LIGHT, Palette
from caedsl.figures.svg import svg
from tests.figures.gallery import SPECS, model_of

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(name: str) -> str:
    return svg(layout(model_of(SPECS[name])))


def test_the_smallest_model_is_drawn_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden(drawn("one_layer"), "one_layer.svg")


@pytest.mark.parametrize("name", SPECS)
def test_it_is_well_formed_with_unique_ids(name: str) -> None:
    root = ElementTree.fromstring(drawn(name))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert drawn(name) == drawn(name)


def test_every_colour_is_an_attribute_and_has_a_dark_twin() -> None:
    text = drawn("residual")
    assert LIGHT.keys() == DARK.keys()
    for name, colour in DARK.items():
        assert f".fill-{name} {{ fill: {colour}; }}" in text
        assert f".stroke-{name} {{ stroke: {colour}; }}" in text
    for element in ElementTree.fromstring(text).iter():
        for paint, name in re.findall(r"(fill|stroke)-([a-z-]+)", element.get("class", "")):
            assert element.get(paint) == LIGHT[name]


def test_there_is_no_background_and_text_is_text() -> None:
    root = ElementTree.fromstring(drawn("mirror"))
    size = (root.get("width"), root.get("height"))
    assert not any((r.get("width"), r.get("height")) == size for r in root.iter(f"{NAMESPACE}rect"))
    assert "24.5× smaller" in [element.text for element in root.iter(f"{NAMESPACE}text")]


def test_slabs_tell_their_layers_and_lines() -> None:
    titles = [element.text or "" for element in ElementTree.fromstring(drawn("mirror")).iter(f"{NAMESPACE}title")]
    assert "conv 16 k3 relu ×2 (line 4)\n→ 16×28×28" in titles
    assert any("mirrors line" in title for title in titles)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("palette", "paper"), [(LIGHT, "#ffffff"), (DARK, "#0d1117")])
def test_text_stands_out(palette: Palette, paper: str) -> None:
    for name in ("ink", "muted", "encoder", "decoder", "bottleneck"):
        assert contrast(palette[name], paper) >= 4.5, name
    for part in ("encoder", "decoder", "bottleneck"):
        assert contrast(palette["ink"], palette[f"{part}-fill"]) >= 7, part
        assert contrast(palette[part], palette[f"{part}-fill"]) >= 3, part
