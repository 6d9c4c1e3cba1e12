"""Pictures of originals above their reconstructions: signals as lines, volumes as their middle slices.

x_chw: channels, height, width; x_cl: channels, length.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from caedsl.inference.plots import ACCENT, SignalLine, line_plot, middle_slices
from caedsl.inference.plots import FAINT as FAINT_LINE
from caedsl.inference.plots import INK as INK_LINE
from caedsl.training.pixel_range import PixelRange
from caedsl.vocabulary.shape import Shape, noun, rank

WIDTH = 1100
MARGIN, GAP = 24, 6
HEADING, BETWEEN = 26, 18
SIGNAL_COLUMNS, SIGNAL_HEIGHT = 4, 0.6
"""Largest number of signals side by side, and the height of a plot as a share of its width."""
INK, FAINT, FRAME, PAPER = "#1f2328", "#6e7781", "#d0d7de", "#ffffff"


class PictureRow(NamedTuple):
    """Row of samples, batch × channels × space, under a label and a fainter detail.

    ``others``: they are not the samples of the rows above.
    """

    label: str
    samples: Tensor
    detail: str = ""
    others: bool = False


class Cell(NamedTuple):
    """Size in pixels at which each sample is shown."""

    width: int
    height: int


PLOT = Cell(240, 144)
"""Size of the plot of a single signal."""


def draw(rows: Sequence[PictureRow], pixels: PixelRange) -> bytes:
    """Return the rows, arranged by ``sheet``, as an optimised PNG."""
    return png(sheet(rows, pixels), smallest=True)


def png(picture: Image.Image, smallest: bool = False) -> bytes:
    """Return a picture as PNG; ``smallest`` optimises its size, which takes several times as long."""
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=smallest)
    return content.getvalue()


def sheet(rows: Sequence[PictureRow], pixels: PixelRange, width: int = WIDTH) -> Image.Image:
    """Return the rows one above the other, two thirds of ``width`` to ``width`` wide.

    Each column shows the same sample in all rows, unless a row has others. Values are mapped from ``pixels`` to grey
    levels, or to the intensities of three colours, and clipped; the contrast of dark samples is raised, as the first
    row states. For two channels, or more than three, the mean is shown. Small images are enlarged by a whole factor, so
    that their pixels stay square. Signals are drawn over those that they are made from, and volumes are shown as their
    middle slices.
    """
    seen = pixels.seen(float(rows[0].samples.max()))
    if seen != pixels:
        told = f"{rows[0].detail}; " if rows[0].detail else ""
        rows = [rows[0]._replace(detail=f"{told}{contrast_text(seen)}"), *rows[1:]]
    shape = tuple(rows[0].samples.shape[1:])
    if rank(shape) == 3:
        rows = [row._replace(samples=middle_slices(row.samples)) for row in rows]
    columns = len(rows[0].samples)
    cell = _cell(columns, shape, width)
    row_height = HEADING + cell.height + BETWEEN
    across = 2 * MARGIN + columns * (cell.width + GAP) - GAP
    drawn = Image.new("RGB", (across, 2 * MARGIN + len(rows) * row_height - BETWEEN), PAPER)
    under: Tensor | None = None
    for number, row in enumerate(rows):
        under = None if row.others else under
        _draw_row(drawn, row, MARGIN + number * row_height, cell, seen, under)
        under = row.samples if under is None and rank(shape) == 1 else under
    return drawn


def contrast_text(seen: PixelRange) -> str:
    """Return the remark on pictures of dark samples."""
    return f"contrast raised: {seen.high:.3g} is white"


def stack(sheets: Sequence[Image.Image], rows: int) -> Image.Image:
    """Return the first sheet, and below it the last row of each other sheet; each sheet has ``rows`` rows."""
    first = sheets[0]
    row_height = (first.height - 2 * MARGIN + BETWEEN) // rows
    drawn = Image.new("RGB", (first.width, first.height + (len(sheets) - 1) * row_height), PAPER)
    drawn.paste(first)
    for number, other in enumerate(sheets[1:], rows):
        last_row = other.crop((0, other.height - MARGIN + BETWEEN - row_height, other.width, other.height))
        drawn.paste(last_row, (0, MARGIN + number * row_height))
    return drawn


def columns_of(shape: Shape, most: int) -> int:
    """Return the number of samples of this shape side by side, where ``most`` images would fit."""
    return min(most, SIGNAL_COLUMNS) if rank(shape) == 1 else most


def samples_text(shape: Shape) -> str:
    """Return the description of a row of samples of this shape."""
    return "volumes, their middle slices" if rank(shape) == 3 else f"{noun(shape)}s"


def _cell(columns: int, shape: Shape, across: int) -> Cell:
    room = (across - 2 * MARGIN + GAP) / columns - GAP
    if rank(shape) == 1:
        return Cell(int(room), max(1, int(SIGNAL_HEIGHT * min(room, across / 2))))
    height, width = shape[-2:]
    scale = room / width
    if scale > 1:
        scale = int(scale)
    return Cell(max(1, int(width * scale)), max(1, int(height * scale)))


def _draw_row(
    drawn: Image.Image, row: PictureRow, top: int, cell: Cell, pixels: PixelRange, under: Tensor | None
) -> None:
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(size=15)
    pen.text((MARGIN, top), row.label, fill=INK, font=font)
    start = MARGIN + font.getlength(row.label + "   ")
    detail = _shortened(row.detail, font, drawn.width - MARGIN - start)
    pen.text((start, top), detail, fill=FAINT, font=font)
    for column, x in enumerate(row.samples):
        left, upper = MARGIN + column * (cell.width + GAP), top + HEADING
        shown = _image(x, cell, pixels) if x.dim() > 2 else _plot(x, under, column, cell, pixels)
        drawn.paste(shown, (left, upper))
        pen.rectangle((left - 1, upper - 1, left + cell.width, upper + cell.height), outline=FRAME)


def _shortened(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: float) -> str:
    """Return the longest beginning of a text that fits into a width in pixels, with an ellipsis if it is not all."""
    if font.getlength(text) <= width:
        return text
    lengths = range(len(text), -1, -1)
    return next((kept for end in lengths if font.getlength(kept := f"{text[:end]}…") <= width), "")


def picture_of(x: Tensor, pixels: PixelRange) -> Image.Image:
    """Return one sample, channels × space, drawn as in ``sheet``, but an image in its own size."""
    if x.dim() == 2:
        return _plot(x, None, 0, PLOT, pixels)
    return _levels(middle_slices(x[None])[0] if x.dim() == 4 else x, pixels)


def _plot(x_cl: Tensor, under: Tensor | None, column: int, cell: Cell, pixels: PixelRange) -> Image.Image:
    own = SignalLine(pixels.to_unit(x_cl), INK_LINE if under is None else ACCENT)
    below = [] if under is None else [SignalLine(pixels.to_unit(under[column]), FAINT_LINE)]
    return line_plot([*below, own], cell.width, cell.height)


def _image(x_chw: Tensor, cell: Cell, pixels: PixelRange) -> Image.Image:
    image = _levels(x_chw, pixels)
    return image.resize(cell, Image.Resampling.NEAREST if cell.width >= image.width else Image.Resampling.LANCZOS)


def _levels(x_chw: Tensor, pixels: PixelRange) -> Image.Image:
    shown = x_chw if len(x_chw) in (1, 3) else x_chw.mean(dim=0, keepdim=True)
    levels_chw = (pixels.to_unit(shown.float()).clamp(0, 1) * 255).round().to(torch.uint8)
    levels_hwc = levels_chw.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(levels_hwc[:, :, 0] if len(shown) == 1 else levels_hwc).convert("RGB")
