"""Draw the bodies of an hourglass: input and reconstruction, slabs, and the tinted areas between them."""

from collections.abc import Iterator
from itertools import pairwise

from caedsl.figures.caption import shape_text
from caedsl.figures.drawing import Area, Box, Mark, MarkGroup, Polyline, TextMark
from caedsl.figures.scale import LABEL_SIZE, Depth
from caedsl.figures.scene import Scene
from caedsl.vocabulary.shape import Shape

ARROW_GAP = 5.0
OUTLINE = 1.2


def flows(scene: Scene) -> Iterator[MarkGroup]:
    """Yield the tinted areas between slabs, which make them one hourglass; they run to the end of a row.

    There is none before a slab that does not read the slab to its left.
    """
    for i, (here, there) in enumerate(pairwise(scene.found.slabs)):
        if there.starts_branch:
            continue
        fill = f"{here.part if there.part == 'bottleneck' else there.part}-flow"
        row, next_row = scene.row(i), scene.row(i + 1)
        x0, half0 = scene.right(i), scene.scale.height(here.shape) / 2
        x1, half1 = scene.lefts[i + 1], scene.scale.height(there.shape) / 2
        if row is next_row:
            areas: tuple[Area, ...] = (_ground(row.axis, x0, half0, x1, half1, fill),)
        else:
            half = scene.half_at_break(i)
            areas = (
                _ground(row.axis, x0, half0, row.right, half, fill),
                _ground(next_row.axis, next_row.left, half, x1, half1, fill),
            )
        yield MarkGroup(f"flow-{i + 1}", "", areas)


def ends(scene: Scene) -> Iterator[MarkGroup]:
    """Yield the input and the reconstruction with their arrows."""
    first, last = scene.lefts[0], scene.right(len(scene.lefts) - 1)
    last += scene.scale.depth(scene.found.slabs[-1].shape).right
    for column, row, name, shape in (
        (scene.placed.columns[0], scene.rows[0], "input", scene.model.input.shape),
        (scene.placed.columns[-1], scene.rows[-1], "reconstruction", scene.model.out_shape),
    ):
        width, height, depth = scene.scale.picture_width(shape), scene.scale.height(shape), scene.scale.depth(shape)
        left = column.middle - (width + depth.right) / 2
        box = Box(left, row.axis - height / 2, width, height, "muted", dashed=True)
        xs = (left + width + depth.right, first) if name == "input" else (last, left)
        arrow = Polyline(((xs[0] + ARROW_GAP, row.axis), (xs[1] - ARROW_GAP, row.axis)), "muted", arrow=True)
        marks = (*_back(box, depth), box, _shape_label(left + width / 2, row.axis, shape), arrow)
        yield MarkGroup(name, f"{name} {shape_text(shape)}", marks)


def slabs(scene: Scene) -> Iterator[MarkGroup]:
    """Yield every slab with its shape."""
    seen: dict[str, int] = {}
    for i, slab in enumerate(scene.found.slabs):
        seen[slab.part] = seen.get(slab.part, 0) + 1
        width, height = scene.scale.slab_width(slab.shape), scene.scale.height(slab.shape)
        box = Box(scene.lefts[i], scene.top(i), width, height, slab.part, f"{slab.part}-fill")
        label = _shape_label(scene.lefts[i] + width / 2, scene.row(i).axis, slab.shape)
        title = "\n".join((*(operation.spec for operation in slab.operations), f"→ {shape_text(slab.shape)}"))
        marks = (*_back(box, scene.scale.depth(slab.shape)), box, label)
        yield MarkGroup(f"{slab.part}-{seen[slab.part]}", title, marks)


def _back(box: Box, depth: Depth) -> Iterator[Mark]:
    """Yield the upper and the right face of a volume whose front is ``box``."""
    if not depth.right:
        return
    left, right, top, bottom = box.x, box.x + box.width, box.y, box.y + box.height
    across, up = depth
    outline = (
        (left, top),
        (left + across, top - up),
        (right + across, top - up),
        (right + across, bottom - up),
        (right, bottom),
    )
    if box.fill:
        yield Area((*outline, (right, top)), box.fill.replace("-fill", "-flow"))
    yield Polyline(outline, box.stroke, OUTLINE, dashed=box.dashed)
    yield Polyline(((right, top), (right + across, top - up)), box.stroke, OUTLINE, dashed=box.dashed)


def _ground(axis: float, x0: float, half0: float, x1: float, half1: float, fill: str) -> Area:
    return Area(((x0, axis - half0), (x1, axis - half1), (x1, axis + half1), (x0, axis + half0)), fill)


def _shape_label(x: float, axis: float, shape: Shape) -> TextMark:
    return TextMark(x, axis, shape_text(shape), LABEL_SIZE, upwards=True)
