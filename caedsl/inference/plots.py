"""Line plots of signals, and middle slices of volumes."""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw
from torch import Tensor

INK, FAINT, ACCENT, PAPER = "#1f2328", "#a8b0b8", "#cf222e", "#ffffff"
_FINER = 3
"""Factor by which plots are drawn larger and then reduced, which smooths their edges."""
_MARGIN = 0.06
"""Share of the height that is free above and below the range."""


class SignalLine(NamedTuple):
    """Signal, channels × length on the scale 0..1, and its colour."""

    signal: Tensor
    colour: str


def line_plot(lines: Sequence[SignalLine], width: int, height: int) -> Image.Image:
    """Draw the signals over each other, the first at the bottom; values outside 0..1 are clipped."""
    drawn = Image.new("RGB", (width * _FINER, height * _FINER), PAPER)
    pen = ImageDraw.Draw(drawn)
    for signal, colour in lines:
        for channel in signal.float().clamp(0, 1).cpu().tolist():
            pen.line(_points(channel, *drawn.size), fill=colour, width=_FINER, joint="curve")
    return drawn.resize((width, height), Image.Resampling.LANCZOS)


def _points(values: Sequence[float], width: int, height: int) -> list[tuple[float, float]]:
    step, free = (width - 1) / max(1, len(values) - 1), _MARGIN * height
    points = [(place * step, free + (1 - value) * (height - 1 - 2 * free)) for place, value in enumerate(values)]
    return points if len(points) > 1 else [points[0], (width - 1, points[0][1])]


def middle_slices(x: Tensor) -> Tensor:
    """Return the middle slices along the depth of volumes … × depth × height × width."""
    return x.select(-3, x.shape[-3] // 2)
