"""Legibility of figures: no text touches another, a skip or a box's edge, and nothing leaves the canvas."""

from itertools import combinations, pairwise

from caedsl.figures.drawing import Bounds, Box, Drawing, Polyline, TextMark


def assert_legible(drawing: Drawing) -> None:
    written = [mark for mark in drawing.marks() if isinstance(mark, TextMark)]
    for one, other in combinations(written, 2):
        assert not one.bounds.overlaps(other.bounds), (one, other)
    ways = [mark for mark in drawing.marks() if isinstance(mark, Polyline) and mark.stroke == "shortcut"]
    for (x0, y0), (x1, y1) in (piece for way in ways for piece in pairwise(way.points)):
        piece = Bounds(min(x0, x1), min(y0, y1), max(x0, x1) + 0.01, max(y0, y1) + 0.01)
        assert not any(text.bounds.overlaps(piece) for text in written), piece
    for mark in drawing.marks():
        bounds = mark.bounds
        assert bounds.left >= 0, mark
        assert bounds.top >= 0, mark
        assert bounds.right <= drawing.width, mark
        assert bounds.bottom <= drawing.height, mark
    boxes = [mark.bounds for mark in drawing.marks() if isinstance(mark, Box)]
    for one_box, other_box in combinations(boxes, 2):
        assert not one_box.overlaps(other_box)
    for text in written:
        touched = [box for box in boxes if text.bounds.overlaps(box)]
        if text.upwards:
            (around,) = touched
            assert around.left < text.x < around.right, text
            assert around.top <= text.bounds.top and text.bounds.bottom <= around.bottom, text
        else:
            assert not touched, text
