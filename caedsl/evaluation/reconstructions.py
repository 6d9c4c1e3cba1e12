"""A picture of originals over their reconstructions.

x_bchw: batch, channels, height, width.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from caedsl.training.pixel_range import PixelRange

WIDTH = 1100
MARGIN, GAP = 24, 6
HEADING, BETWEEN = 26, 18
INK, FAINT, FRAME, PAPER = "#1f2328", "#6e7781", "#d0d7de", "#ffffff"


class PictureRow(NamedTuple):
    """Images side by side, B×C×H×W, under a label and, fainter, a detail."""

    label: str
    x_bchw: Tensor
    detail: str = ""


class Cell(NamedTuple):
    """The size in pixels at which every image is shown."""

    width: int
    height: int


def draw(rows: Sequence[PictureRow], pixels: PixelRange) -> bytes:
    """Return the rows as ``sheet`` arranges them, as the smallest PNG."""
    return png(sheet(rows, pixels), smallest=True)


def png(picture: Image.Image, smallest: bool = False) -> bytes:
    """Return a picture as PNG; the smallest takes several times as long."""
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=smallest)
    return content.getvalue()


def sheet(rows: Sequence[PictureRow], pixels: PixelRange, width: int = WIDTH) -> Image.Image:
    """The rows one above the other, two thirds of ``width`` to ``width`` across; a column is the same image in each row.

    Values are mapped from ``pixels`` to black and white, or to the intensities of three colours, and cut there; of two
    channels, or more than three, the mean is shown. Small images are enlarged by a whole number, so that their pixels
    stay square.
    """
    columns = len(rows[0].x_bchw)
    cell = _cell(columns, rows[0].x_bchw.shape[-2], rows[0].x_bchw.shape[-1], width)
    row_height = HEADING + cell.height + BETWEEN
    across = 2 * MARGIN + columns * (cell.width + GAP) - GAP
    drawn = Image.new("RGB", (across, 2 * MARGIN + len(rows) * row_height - BETWEEN), PAPER)
    for number, row in enumerate(rows):
        _draw_row(drawn, row, MARGIN + number * row_height, cell, pixels)
    return drawn


def stack(sheets: Sequence[Image.Image], rows: int) -> Image.Image:
    """Return the first sheet whole, and below it the last row of each of the others; all are of that many ``rows``."""
    first = sheets[0]
    row_height = (first.height - 2 * MARGIN + BETWEEN) // rows
    drawn = Image.new("RGB", (first.width, first.height + (len(sheets) - 1) * row_height), PAPER)
    drawn.paste(first)
    for number, other in enumerate(sheets[1:], rows):
        last_row = other.crop((0, other.height - MARGIN + BETWEEN - row_height, other.width, other.height))
        drawn.paste(last_row, (0, MARGIN + number * row_height))
    return drawn


def _cell(columns: int, height: int, width: int, across: int) -> Cell:
    scale = ((across - 2 * MARGIN + GAP) / columns - GAP) / width
    if scale > 1:
        scale = int(scale)
    return Cell(max(1, int(width * scale)), max(1, int(height * scale)))


def _draw_row(drawn: Image.Image, row: PictureRow, top: int, cell: Cell, pixels: PixelRange) -> None:
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(size=15)
    pen.text((MARGIN, top), row.label, fill=INK, font=font)
    pen.text((MARGIN + font.getlength(row.label + "   "), top), row.detail, fill=FAINT, font=font)
    for column, x_chw in enumerate(row.x_bchw):
        left, upper = MARGIN + column * (cell.width + GAP), top + HEADING
        image = _image(x_chw, pixels)
        enlarged = Image.Resampling.NEAREST if cell.width >= image.width else Image.Resampling.LANCZOS
        drawn.paste(image.resize(cell, enlarged), (left, upper))
        pen.rectangle((left - 1, upper - 1, left + cell.width, upper + cell.height), outline=FRAME)


def _image(x_chw: Tensor, pixels: PixelRange) -> Image.Image:
    shown = x_chw if len(x_chw) in (1, 3) else x_chw.mean(dim=0, keepdim=True)
    levels_chw = (pixels.to_unit(shown.float()).clamp(0, 1) * 255).round().to(torch.uint8)
    levels_hwc = levels_chw.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(levels_hwc[:, :, 0] if len(shown) == 1 else levels_hwc).convert("RGB")
