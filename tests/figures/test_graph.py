"""Writing figures: the ending chooses the format, and a file is written whole or not at all."""

from pathlib import Path

import pytest

from caedsl.figures.errors import FigureError
from caedsl.figures.graph import FORMATS, draw, render
from tests.figures.gallery import SPECS, model_of

BEGINNINGS = {
    "svg": b"<svg ",
    "png": b"\x89PNG",
    "pdf": b"%PDF-",
    "dot": b"digraph mnist_mirror {",
    "mmd": b"---\ntitle",
}


@pytest.mark.parametrize("format", FORMATS)
def test_the_ending_chooses_the_format(format: str, tmp_path: Path) -> None:
    model = model_of(SPECS["mirror"])
    for path in (tmp_path / f"figure.{format}", tmp_path / f"FIGURE.{format.upper()}"):
        draw(model, path)
        assert path.read_bytes().startswith(BEGINNINGS[format])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(("format", "kind"), [("svg", str), ("dot", str), ("mmd", str), ("png", bytes), ("pdf", bytes)])
def test_text_formats_are_text(format: str, kind: type) -> None:
    assert isinstance(render(model_of(SPECS["one_layer"]), format), kind)


@pytest.mark.parametrize("format", ["dot", "mmd"])
def test_graph_texts_are_the_blocks_in_either_style(format: str) -> None:
    model = model_of(SPECS["residual"])
    assert render(model, format, "hourglass") == render(model, format, "blocks")


@pytest.mark.parametrize(("name", "what"), [("figure.jpeg", "ends in .jpeg"), ("figure", "has no ending")])
def test_an_unknown_ending_is_refused_before_anything_is_drawn(name: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(FigureError, match=what) as caught:
        draw(model_of(SPECS["one_layer"]), tmp_path / name)
    assert all(f".{format}" in str(caught.value) for format in FORMATS)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match=r"nowhere/figure\.svg: there is no such folder"):
        draw(model_of(SPECS["one_layer"]), tmp_path / "nowhere" / "figure.svg")


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "figure.svg").mkdir()
    with pytest.raises(FigureError, match="cannot write"):
        draw(model_of(SPECS["one_layer"]), tmp_path / "figure.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.svg"]


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("x" * 1_000_000)
    draw(model_of(SPECS["one_layer"]), path)
    assert path.read_text(encoding="utf-8").endswith("</svg>\n")
