"""Legibility of figures: no text touches another, a skip or a box's edge, and nothing leaves the canvas."""

from itertools import combinations, pairwise

from caedsl.figures.drawing import Bounds, Box, Drawing, Polyline, TextMark


def assert_legible(drawing: Drawing) -> None:
    written = [(mark, mark.bounds) for mark in drawing.marks() if isinstance(mark, TextMark)]  # measured once
    for (one, its), (other, others) in combinations(written, 2):
        assert not its.overlaps(others), (one, other)
    ways = [mark for mark in drawing.marks() if isinstance(mark, Polyline) and mark.stroke == "shortcut"]
    for (x0, y0), (x1, y1) in (piece for way in ways for piece in pairwise(way.points)):
        piece = Bounds(min(x0, x1), min(y0, y1), max(x0, x1) + 0.01, max(y0, y1) + 0.01)
        assert not any(bounds.overlaps(piece) for _, bounds in written), piece
    for mark in drawing.marks():
        bounds = mark.bounds
        assert bounds.left >= 0, mark
        assert bounds.top >= 0, mark
        assert bounds.right <= drawing.width, mark
        assert bounds.bottom <= drawing.height, mark
    boxes = [mark.bounds for mark in drawing.marks() if isinstance(mark, Box)]
    for one_box, other_box in combinations(boxes, 2):
        assert not one_box.overlaps(other_box)
    for text, bounds in written:
        touched = [box for box in boxes if bounds.overlaps(box)]
        if text.upwards:
            (around,) = touched
            assert around.left < text.x < around.right, text
            assert around.top <= bounds.top and bounds.bottom <= around.bottom, text
        else:
            assert not touched, text
