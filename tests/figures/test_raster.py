"""PNG and PDF: the same drawing, without a display and without a clock."""

import struct
import subprocess
import sys
from io import BytesIO

import matplotlib
import pypdf
import pytest

from caedsl.figures.drawing import TextMark
from caedsl.figures.layout import layout
from caedsl.figures.raster import LONGEST_SIDE, pdf, png
from tests.figures.gallery import SPECS, model_of


def test_a_png_has_the_drawings_proportions() -> None:
    drawing = layout(model_of(SPECS["mirror"]))
    content = png(drawing)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width / height == pytest.approx(drawing.width / drawing.height, rel=0.01)
    assert width > 2 * drawing.width
    assert png(drawing) == content


def test_a_png_of_an_endless_model_stays_openable() -> None:
    layers = "; ".join(f"conv {channels}" for channels in range(1, 160))
    spec = f"autoencoder endless\ninput 1x8x8\nencoder {{ {layers} }}\nbottleneck\ndecoder mirror"
    width, height = struct.unpack(">II", png(layout(model_of(spec)))[16:24])
    assert max(width, height) <= LONGEST_SIDE + 1


def test_a_pdf_holds_text_and_no_date() -> None:
    drawing = layout(model_of(SPECS["flagship"]))
    content = pdf(drawing)
    document = pypdf.PdfReader(BytesIO(content))
    (page,) = document.pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((drawing.width, drawing.height))
    found = page.extract_text()
    for mark in drawing.marks():
        if isinstance(mark, TextMark) and not mark.upwards:
            assert mark.text in found
    assert document.metadata is not None
    assert document.metadata.title == "mnist_l2"
    assert document.metadata.creation_date is None
    assert pdf(drawing) == content


def test_the_readers_matplotlib_settings_neither_matter_nor_change() -> None:
    drawing = layout(model_of(SPECS["one_layer"]))
    plain = png(drawing)
    with matplotlib.rc_context({"font.family": "serif", "axes.facecolor": "red"}):
        assert png(drawing) == plain
        assert matplotlib.rcParams["font.family"] == ["serif"]


def test_neither_pyplot_nor_torch_is_imported() -> None:
    program = (
        "import sys; from tests.figures.gallery import *; from caedsl.figures.graph import render;"
        "m = model_of(SPECS['one_layer']); render(m, 'svg'); assert 'matplotlib' not in sys.modules;"
        "render(m, 'png'); assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
