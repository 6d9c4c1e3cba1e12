"""Whether all of a figure can be read: no text touches another or leaves its box, and nothing leaves the canvas."""

from itertools import combinations

from caedsl.figures.drawing import Box, Drawing, TextMark


def assert_legible(drawing: Drawing) -> None:
    written = [mark for mark in drawing.marks() if isinstance(mark, TextMark)]
    for one, other in combinations(written, 2):
        assert not one.bounds.overlaps(other.bounds), (one, other)
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
