"""Lay out the hourglass, a model as a figure for a paper, as plain data.

It reads from left to right. A slab is a feature map, its height the resolution and its width the channels (the visual
grammar that Net2Vis found in published figures, arXiv 1902.04394); a bar is a vector. Twin stages are at equal
distances from the code, joined by a dotted line. What a layer does is written under the slab that it makes, the names
of groups above. A figure that would be too wide continues in further rows.
"""

from collections.abc import Iterator

from caedsl.diagnostics.text import counted
from caedsl.facts.cost import total_parameters
from caedsl.figures.caption import shape_text, size_of_code
from caedsl.figures.columns import DETAIL_SIZE
from caedsl.figures.drawing import Drawing, MarkGroup, Polyline, TextMark, shorten
from caedsl.figures.look import PLAIN, Look
from caedsl.figures.marks import ends, flows, slabs
from caedsl.figures.page_width import fitted
from caedsl.figures.palette import COLOURS, GREYS
from caedsl.figures.scale import LABEL_SIZE
from caedsl.figures.scene import HEADING_SIZE, LABEL_ROW, MARGIN, TITLE_SIZE, ColumnRow, Scene, stack
from caedsl.figures.shortcuts import shortcuts
from caedsl.figures.skips import passes, skips, summary
from caedsl.figures.slabs import GroupAround
from caedsl.model.autoencoder import Autoencoder


def layout(model: Autoencoder, look: Look = PLAIN) -> Drawing:
    """Return the hourglass of a model whose shapes are all known: no texts overlap, and nothing leaves the canvas."""
    footer = counted(total_parameters(model), "parameter")
    scene, scale = fitted(model, look, footer)
    body = [*_twin_lines(scene), *flows(scene), *ends(scene), *slabs(scene), *shortcuts(scene), *skips(scene)]
    words = [group for row in scene.rows for group in _words(scene, row)]
    bottom = max(mark.bounds.bottom for group in (*body, *words) for mark in group.marks)
    last = TextMark(MARGIN, bottom + 24.0, footer, DETAIL_SIZE, "muted", anchor="start")
    title = _title(scene) if look.title else ()
    groups = (*title, *_headings(scene), *_labels(scene), *body, *words, MarkGroup("parameters", "", (last,)))
    height, scheme = last.bounds.bottom + MARGIN / 2, GREYS if look.grey else COLOURS
    return Drawing(scene.width, height, model.name, _about(scene), groups, scale, scheme)


def _about(scene: Scene) -> str:
    model = scene.model
    shapes = " to ".join(map(shape_text, (model.input.shape, model.code_shape, model.out_shape)))
    code = f"a code of {', '.join(size_of_code(model))}"
    return f"Convolutional autoencoder {model.name}, {shapes}: {code}.{summary(scene.found.skips)}"


def _title(scene: Scene) -> tuple[MarkGroup, ...]:
    name = shorten(scene.model.name, TITLE_SIZE, scene.width - 2 * MARGIN, bold=True)
    text = TextMark(MARGIN, MARGIN + TITLE_SIZE / 2, name, TITLE_SIZE, bold=True, anchor="start")
    return (MarkGroup("title", "", (text,)),)


def _headings(scene: Scene) -> Iterator[MarkGroup]:
    """Yield the names of the parts above their columns in each row."""
    for number, row in enumerate(scene.rows):
        for part in ("encoder", "bottleneck", "decoder"):
            columns = [column for column in row.columns if column.part == part]
            if columns:
                middle = (columns[0].x + columns[-1].x + columns[-1].width) / 2
                heading = TextMark(middle, row.heading, part, HEADING_SIZE, part, bold=True)
                yield MarkGroup(f"{part}-heading{_in_row(number)}", "", (heading,))


def _labels(scene: Scene) -> Iterator[MarkGroup]:
    for number, group in enumerate(scene.found.groups):
        if group.label:
            for place in range(scene.row_of[group.first], scene.row_of[group.last] + 1):
                yield _label(scene, scene.rows[place], group, f"group-{number + 1}{_in_row(place)}")


def _label(scene: Scene, row: ColumnRow, group: GroupAround, name: str) -> MarkGroup:
    """Return the bracket over a group's slabs in a row, with as much of the label as fits."""
    first, last = max(group.first, row.first), min(group.last, row.last)
    y = row.labels_top + (group.depth + 0.5) * LABEL_ROW
    depth = scene.scale.depth(scene.found.slabs[last].shape)
    left, right = scene.lefts[first] - 3.0, scene.right(last) + depth.right + 3.0
    corners = ((left, y + 10.0), (left, y + 7.0), (right, y + 7.0), (right, y + 10.0))
    columns = [column for column in row.columns if column.slabs and first <= column.slabs[0] <= last]
    start, end = columns[0].x, columns[-1].x + columns[-1].width
    text = shorten(group.label, LABEL_SIZE, end - start - 2.0)
    label = [TextMark((start + end) / 2, y, text, LABEL_SIZE, "muted")] if text else []
    return MarkGroup(name, group.label if text != group.label else "", (*label, Polyline(corners, "line")))


def _in_row(number: int) -> str:
    return f"-{number + 1}" if number else ""


def _twin_lines(scene: Scene) -> Iterator[MarkGroup]:
    code = scene.model.code_shape[1:]
    for number, (left, right) in enumerate(scene.placed.twins):
        start, end = left.columns[0].slabs[-1], right.columns[0].slabs[0]
        if left.resolution and left.resolution != code and _in_sight(scene, start, end):
            y = scene.top(start)
            line = Polyline(((scene.right(start), y), (scene.lefts[end], y)), "line", 0.8, dotted=True)
            yield MarkGroup(f"twin-{number + 1}", f"both {shape_text(left.resolution)}", (line,))


def _in_sight(scene: Scene, start: int, end: int) -> bool:
    """Return whether a line from slab to slab, at their height, meets no row's end, no slab in between, and no skip."""
    if scene.row(start) is not scene.row(end) or passes(scene, start, end):
        return False
    y = scene.top(start)
    return all(scene.top(slab) > y for slab in range(start + 1, end))


def _words(scene: Scene, row: ColumnRow) -> Iterator[MarkGroup]:
    for column, top in zip(row.columns, row.word_tops, strict=True):
        marks = tuple(
            TextMark(column.middle, top + y, word.text, word.size, word.fill, word.bold)
            for word, y in stack(column.lines)
        )
        if marks:
            name = f"slab-{column.slabs[0] + 1}" if column.slabs else column.part
            yield MarkGroup(f"{name}-words", "", marks)
