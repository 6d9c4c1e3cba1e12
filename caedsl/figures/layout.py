"""The hourglass: a model as a figure for a paper, laid out as plain data.

Left to right; a slab is a feature map, its height the resolution and its width the channels (the visual grammar that
Net2Vis found in published figures, arXiv 1902.04394); a bar is a vector. Twin stages stand at equal distances from the
code, joined by a dotted line. What a layer does stands under the slab that it makes, the names of groups above.
"""

from collections.abc import Iterator
from itertools import pairwise

from caedsl.facts.cost import total_parameters
from caedsl.figures.caption import plural, shape_text, size_of_code
from caedsl.figures.columns import DETAIL_SIZE, Column
from caedsl.figures.drawing import Area, Box, Drawing, Group, Line, Mark, Text
from caedsl.figures.scale import LABEL_SIZE
from caedsl.figures.scene import HEADING_SIZE, LABEL_ROW, MARGIN, TITLE_SIZE, Scene, scene_of
from caedsl.figures.shortcuts import shortcuts
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import Shape

LEADING = 1.34
ARROW_GAP = 5.0


def layout(model: Autoencoder) -> Drawing:
    """The hourglass of a model whose shapes are all known: no two texts touch, and nothing leaves the canvas."""
    footer = plural(total_parameters(model), "parameter")
    scene = scene_of(model, footer)
    body = [*_twin_lines(scene), *_flows(scene), *_ends(scene), *_slabs(scene), *shortcuts(scene)]
    words = [group for column in scene.placed.columns for group in _words(scene, column)]
    bottom = max(mark.bounds.bottom for group in (*body, *words) for mark in group.marks)
    last = Text(MARGIN, bottom + 24.0, footer, DETAIL_SIZE, "muted", anchor="start")
    groups = (*_titles(scene), *_labels(scene), *body, *words, Group("parameters", "", (last,)))
    return Drawing(scene.width, last.bounds.bottom + MARGIN / 2, model.name, _about(model), groups)


def _about(model: Autoencoder) -> str:
    shapes = " to ".join(map(shape_text, (model.input.shape, model.code_shape, model.out_shape)))
    return f"Convolutional autoencoder {model.name}, {shapes}: a code of {', '.join(size_of_code(model))}."


def _titles(scene: Scene) -> Iterator[Group]:
    y = MARGIN + TITLE_SIZE / 2
    yield Group("title", "", (Text(MARGIN, y, scene.model.name, TITLE_SIZE, bold=True, anchor="start"),))
    for part in ("encoder", "bottleneck", "decoder"):
        columns = [column for column in scene.placed.columns if column.part == part]
        if columns:
            middle = scene.shift + (columns[0].x + columns[-1].x + columns[-1].width) / 2
            heading = Text(middle, scene.heading, part, HEADING_SIZE, part, bold=True)
            yield Group(f"{part}-heading", "", (heading,))


def _labels(scene: Scene) -> Iterator[Group]:
    for number, group in enumerate(scene.found.groups):
        if group.label:
            y = scene.labels_top + (group.depth + 0.5) * LABEL_ROW
            left, right = scene.lefts[group.first] - 3.0, scene.right(group.last) + 3.0
            corners = ((left, y + 10.0), (left, y + 7.0), (right, y + 7.0), (right, y + 10.0))
            columns = [c for c in scene.placed.columns if c.slabs and group.first <= c.slabs[0] <= group.last]
            middle = scene.shift + (columns[0].x + columns[-1].x + columns[-1].width) / 2
            label = Text(middle, y, group.label, LABEL_SIZE, "muted")
            yield Group(f"group-{number + 1}", "", (label, Line(corners, "line")))


def _twin_lines(scene: Scene) -> Iterator[Group]:
    code = scene.model.code_shape[1:]
    for number, (left, right) in enumerate(scene.placed.twins):
        if left.resolution and left.resolution != code:
            start, end = left.columns[0].slabs[-1], right.columns[0].slabs[0]
            y = scene.top(start)
            line = Line(((scene.right(start), y), (scene.lefts[end], y)), "line", 0.8, dotted=True)
            yield Group(f"twin-{number + 1}", f"both {shape_text(left.resolution)}", (line,))


def _flows(scene: Scene) -> Iterator[Group]:
    """The tinted ground between slabs, which makes them one hourglass."""
    slabs = scene.found.slabs
    for i, (here, there) in enumerate(pairwise(slabs)):
        part = here.part if there.part == "bottleneck" else there.part
        x0, x1 = scene.right(i), scene.lefts[i + 1]
        y0, y1 = scene.top(i), scene.top(i + 1)
        below0, below1 = 2 * scene.axis - y0, 2 * scene.axis - y1
        yield Group(f"flow-{i + 1}", "", (Area(((x0, y0), (x1, y1), (x1, below1), (x0, below0)), f"{part}-flow"),))


def _ends(scene: Scene) -> Iterator[Group]:
    first, last = scene.lefts[0], scene.right(len(scene.lefts) - 1)
    for column, name, shape in zip(
        (scene.placed.columns[0], scene.placed.columns[-1]),
        ("input", "reconstruction"),
        (scene.model.input.shape, scene.model.out_shape),
        strict=True,
    ):
        width, height = scene.scale.picture_width(shape), scene.scale.height(shape)
        left = scene.shift + column.middle - width / 2
        box = Box(left, scene.axis - height / 2, width, height, "muted", dashed=True)
        xs = (left + width, first) if name == "input" else (last, left)
        arrow = Line(((xs[0] + ARROW_GAP, scene.axis), (xs[1] - ARROW_GAP, scene.axis)), "muted", arrow=True)
        yield Group(name, f"{name} {shape_text(shape)}", (box, _shape_label(scene, left + width / 2, shape), arrow))


def _slabs(scene: Scene) -> Iterator[Group]:
    seen: dict[str, int] = {}
    for i, slab in enumerate(scene.found.slabs):
        seen[slab.part] = seen.get(slab.part, 0) + 1
        width, height = scene.scale.slab_width(slab.shape), scene.scale.height(slab.shape)
        box = Box(scene.lefts[i], scene.top(i), width, height, slab.part, f"{slab.part}-fill")
        label = _shape_label(scene, scene.lefts[i] + width / 2, slab.shape)
        title = "\n".join((*(operation.spec for operation in slab.operations), f"→ {shape_text(slab.shape)}"))
        yield Group(f"{slab.part}-{seen[slab.part]}", title, (box, label))


def _shape_label(scene: Scene, x: float, shape: Shape) -> Text:
    return Text(x, scene.axis, shape_text(shape), LABEL_SIZE, upwards=True)


def _words(scene: Scene, column: Column) -> Iterator[Group]:
    if not column.lines:
        return
    middle = scene.shift + column.middle
    half = max(word.width for word in column.lines) / 2
    y = scene.floor(middle - half, middle + half) + 7.0
    marks: list[Mark] = []
    for word in column.lines:
        y += word.size * LEADING + (3.0 if word.apart and marks else 0.0)
        marks.append(Text(middle, y - word.size * LEADING / 2, word.text, word.size, word.fill, word.bold))
    name = f"slab-{column.slabs[0] + 1}" if column.slabs else column.part
    yield Group(f"{name}-words", "", tuple(marks))
