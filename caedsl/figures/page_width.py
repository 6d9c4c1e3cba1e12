"""Fit an hourglass into the requested width: choose its scale, and break it into rows if it is too wide."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from caedsl.figures.caption import code_options, output_word, size_of_code
from caedsl.figures.columns import DETAIL_SIZE, HEAD_SIZE, Arrangement, Column, ColumnText, arrange, mirror, wrapped
from caedsl.figures.drawing import text_width
from caedsl.figures.errors import FigureError
from caedsl.figures.look import POINTS_PER_CM, Look
from caedsl.figures.rows import break_columns, widest_unit
from caedsl.figures.scale import FigureScale
from caedsl.figures.scene import MARGIN, TITLE_SIZE, Scene, left_edges, make_rows, place
from caedsl.figures.shortcut_levels import shortcut_levels
from caedsl.figures.slabs import Hourglass, hourglass
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange

MOST_COLUMNS = 16
"""Largest number of slabs with a column each; beyond it, the slabs of a stage are side by side over one list."""
LEAST_POINTS = 7.0
"""Smallest text in points that is legible in print; a figure that would need smaller text gets more rows."""


class _Fit(NamedTuple):
    """Columns in rows, the width between the margins in units, and the points per unit (None: unscaled)."""

    scale: FigureScale
    placed: Arrangement
    broken: Sequence[Sequence[Column]]
    inner: float
    points: float | None


def fitted(model: Autoencoder, look: Look, footer: str) -> tuple[Scene, float | None]:
    """Return the scene of a model, wide enough for the ``footer``, and the points per unit (None: unscaled)."""
    found = hourglass(model)
    shapes = [model.input.shape, *(slab.shape for slab in found.slabs), model.out_shape]

    def arranged(flat: bool = False) -> tuple[FigureScale, Arrangement]:
        scale = FigureScale(shapes, crowded=len(found.slabs) > MOST_COLUMNS, flat=flat)
        return scale, _arrangement(model, found, scale)

    if look.width is None:
        words = [text_width(footer, DETAIL_SIZE), text_width(model.name, TITLE_SIZE, bold=True) * look.title]
        fit = _unscaled(*arranged(), look, max(words))
    else:
        fit = _into(look.width, arranged, look, found)
    rows = make_rows(fit.broken, MARGIN, fit.inner)
    lefts = list(left_edges(found, fit.scale, fit.placed.columns))
    row_of = [number for number, row in enumerate(rows) for _ in range(row.first, row.last + 1)]
    levels = shortcut_levels(found)
    scene = Scene(model, found, fit.scale, fit.placed, fit.inner + 2 * MARGIN, rows, levels, lefts, row_of)
    place(scene, MARGIN + (TITLE_SIZE + 16.0 if look.title else 0.0))
    return scene, fit.points


def _arrangement(model: Autoencoder, found: Hourglass, scale: FigureScale) -> Arrangement:
    numbers, comparison = size_of_code(model)
    code = [
        ColumnText(numbers, HEAD_SIZE, "bottleneck", True),
        *wrapped(comparison, HEAD_SIZE, 92.0, "bottleneck"),
        *(ColumnText(option, apart=number == 0) for number, option in enumerate(code_options(model))),
    ]
    end = [ColumnText(output_word(model), HEAD_SIZE, "ink")]
    if model.target is not model.input:
        end.append(ColumnText(_values(model.target.range)))
    start = [ColumnText("input", HEAD_SIZE, "ink"), ColumnText(_values(model.input.range))]
    preprocessings = dict.fromkeys(data.normalize for data in model.data if data.normalize)
    start += (ColumnText(f"normalize={name}") for name in preprocessings)
    ends = (start, end)
    shapes = (model.input.shape, model.out_shape)
    return arrange(found, scale, ends, code, max(scale.picture_width(s) + 2 * scale.depth(s).right for s in shapes))


def _values(values: InputRange) -> str:
    return f"in {values}" if values.bounded else "real values"


def _unscaled(scale: FigureScale, placed: Arrangement, look: Look, words: float) -> _Fit:
    mirror(placed)
    points = look.font_size / DETAIL_SIZE if look.font_size else None
    return _Fit(scale, placed, [placed.columns], max(placed.width, words), points)


def _into(
    width: float, arranged: Callable[[bool], tuple[FigureScale, Arrangement]], look: Look, found: Hourglass
) -> _Fit:
    """Return one row if its text stays legible, or else as many rows as it needs."""
    paper = width * POINTS_PER_CM
    scale, placed = arranged(False)
    mirror(placed)
    if look.font_size:
        points = look.font_size / DETAIL_SIZE
    else:
        points = max(min(1.0, paper / (placed.width + 2 * MARGIN)), LEAST_POINTS / DETAIL_SIZE)
    inner = paper / points - 2 * MARGIN
    if placed.width <= inner + 0.01:
        return _Fit(scale, placed, [placed.columns], inner, points)
    scale, placed = arranged(True)
    if widest_unit(placed.columns) > inner:
        needed = (widest_unit(placed.columns) + 2 * MARGIN) * points / POINTS_PER_CM
        raise FigureError(
            f"a figure of {width:g} cm has no room for text of {points * DETAIL_SIZE:g} points: "
            f"its widest column needs {needed:.1f} cm; choose a larger width or a smaller font size"
        )
    return _Fit(scale, placed, break_columns(placed.columns, found, inner), inner, points)
