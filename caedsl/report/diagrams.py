"""Diagrams of a model for the page of a report, for wide and narrow screens."""

from caedsl.figures.errors import FigureError
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.svg import svg
from caedsl.model.autoencoder import Autoencoder
from caedsl.report.shown import data_uri

_WIDE = 980
"""Width of a wide page in pixels: a diagram that needs more continues in further rows."""
_NARROW = Look(width=9, title=False)
_PIXELS_PER_CM = 96 / 2.54


def diagrams(model: Autoencoder) -> tuple[str, str]:
    """Return the diagram for a wide and for a narrow screen, as data URIs of SVG."""
    wide = layout(model)
    if wide.width > _WIDE:
        wide = layout(model, Look(width=_WIDE / _PIXELS_PER_CM))
    try:
        narrow = layout(model, _NARROW)
    except FigureError:  # a single column is wider than the screen
        narrow = wide
    return data_uri(svg(wide).encode(), "image/svg+xml"), data_uri(svg(narrow).encode(), "image/svg+xml")
