"""Programs that draw SVG, none of which shares code with another: each returns the pixels of a figure on white."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
import pyvips
import resvg_py
import typst
from PIL import Image
from reportlab.graphics import renderPDF
from svglib.svglib import svg2rlg


def _opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content)).convert("RGB")


def _resvg(path: Path) -> Image.Image:
    return _opened(bytes(resvg_py.svg_to_bytes(svg_path=str(path), background="white", zoom=2, dpi=96)))


def _typst(path: Path) -> Image.Image:
    document = path.with_suffix(".typ")
    document.write_text(f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{path.name}")', "utf-8")
    content = typst.compile(str(document), format="png", ppi=144.0)
    assert isinstance(content, bytes)
    return _opened(content)


def _librsvg(path: Path) -> Image.Image:
    image = pyvips.Image.svgload(str(path), scale=2).flatten(background=[255, 255, 255])
    return _opened(image.write_to_buffer(".png"))


def _svglib(path: Path) -> Image.Image:
    page = pypdfium2.PdfDocument(renderPDF.drawToString(svg2rlg(str(path))))[0]
    image = page.render(scale=2).to_pil()
    assert isinstance(image, Image.Image)
    return image.convert("RGB")


def _cairosvg(path: Path) -> Image.Image:
    try:
        import cairosvg
    except OSError:
        pytest.skip("the system's cairo library is not here")
    return _opened(cairosvg.svg2png(url=str(path), background_color="white", scale=2))


RENDERERS: dict[str, Callable[[Path], Image.Image]] = {
    "resvg": _resvg,
    "typst": _typst,
    "librsvg": _librsvg,
    "svglib": _svglib,
    "cairosvg": _cairosvg,
}
"""By name; typst draws with resvg's parser, but reads the file on its own."""
