"""Arrange slabs from left to right: slabs in columns, columns in stages, the stages mirrored about the code."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from caedsl.figures.drawing import text_width
from caedsl.figures.scale import LABEL_SIZE, FigureScale
from caedsl.figures.slabs import Hourglass, LayerCaption, Slab
from caedsl.vocabulary.shape import Shape

LONGEST_LIST = 8
"""Largest number of operations under one column."""
SLAB_GAP = 3.0
COLUMN_GAP = 16.0
SLAB_TEXT, LIST_TEXT = 76.0, 96.0
NARROWEST, NARROWEST_CODE = 48.0, 88.0
HEAD_SIZE, DETAIL_SIZE = 10.0, 9.0


@dataclass(frozen=True)
class ColumnText:
    """Line of text under a column; ``apart`` separates it from the line above."""

    text: str
    size: float = DETAIL_SIZE
    fill: str = "muted"
    bold: bool = False
    apart: bool = False

    @property
    def width(self) -> float:
        """Length of the line."""
        return text_width(self.text, self.size, self.bold)


@dataclass
class Column:
    """Slabs side by side (by number), and the lines of text under them."""

    part: str
    slabs: list[int]
    lines: list[ColumnText]
    width: float
    resolution: Shape = ()
    x: float = 0.0
    beyond: float = 0.0
    """Width that is left empty on the side away from the code; negative on the side of the code."""

    @property
    def middle(self) -> float:
        """The x of the centre of the column's content."""
        return self.x + (self.width + self.beyond * (1 if self.part == "encoder" else -1)) / 2


@dataclass
class ColumnStage:
    """Columns of one part in a row that share a resolution, from the code outwards."""

    resolution: Shape
    columns: list[Column]

    @property
    def width(self) -> float:
        """Total width of the columns."""
        return sum(column.width for column in self.columns)


@dataclass
class Arrangement:
    """Columns of a figure from left to right (the first holds the input, the last the reconstruction).

    ``encoder`` and ``decoder`` are the stages from the code outwards; ``twins`` are pairs that share a resolution.
    """

    columns: list[Column] = field(default_factory=list)
    encoder: list[ColumnStage] = field(default_factory=list)
    decoder: list[ColumnStage] = field(default_factory=list)
    twins: list[tuple[ColumnStage, ColumnStage]] = field(default_factory=list)

    @property
    def width(self) -> float:
        """Total width of the columns."""
        return sum(column.width for column in self.columns)


def arrange(
    found: Hourglass,
    scale: FigureScale,
    ends: tuple[list[ColumnText], list[ColumnText]],
    code: list[ColumnText],
    end_width: float,
) -> Arrangement:
    """Return columns for all slabs, each wide enough for its content; see ``mirror`` for equal distances.

    ``ends`` are the lines under the input and the reconstruction, whose boxes are ``end_width`` wide. ``code`` are the
    lines before the bottleneck's operations.
    """
    columns = list(_columns(found, scale, code))
    _make_room_for_labels(found, columns)
    encoder = _stages([column for column in reversed(columns) if column.part == "encoder"])
    decoder = _stages([column for column in columns if column.part == "decoder"])
    broadest = max(end_width, NARROWEST, *(word.width for lines in ends for word in lines)) + COLUMN_GAP
    entrance, exit = (Column(part, [], lines, broadest) for part, lines in zip(("input", "output"), ends, strict=True))
    return Arrangement([entrance, *columns, exit], encoder, decoder, list(_twins(encoder, decoder)))


def _columns(found: Hourglass, scale: FigureScale, code: list[ColumnText]) -> Iterator[Column]:
    for numbers in _split(found.slabs, scale.crowded):
        slabs = [found.slabs[i] for i in numbers]
        is_code = slabs[0].part == "bottleneck"
        across = sum(scale.extent(slab.shape) for slab in slabs) + SLAB_GAP * (len(slabs) - 1)
        limit = max(across, LIST_TEXT if scale.crowded else SLAB_TEXT)
        say = _line if scale.crowded else _words
        lines = [word for slab in slabs for operation in slab.operations for word in say(operation, limit)]
        if is_code:
            lines = [*code, *lines]
        narrowest = NARROWEST_CODE if is_code else NARROWEST
        width = max(across, narrowest, *(word.width for word in lines)) if lines else max(across, narrowest)
        yield Column(slabs[0].part, numbers, lines, width + COLUMN_GAP, slabs[0].resolution)


def _split(slabs: Sequence[Slab], crowded: bool) -> Iterator[list[int]]:
    """Yield one slab per column or, if ``crowded``, all that share part, resolution and groups, up to a full list."""
    current: list[int] = []
    for i, slab in enumerate(slabs):
        if current:
            last = slabs[current[-1]]
            same = (slab.part, slab.resolution, slab.groups) == (last.part, last.resolution, last.groups)
            listed = sum(len(slabs[j].operations) for j in (*current, i))
            if not crowded or not same or listed > LONGEST_LIST:
                yield current
                current = []
        current.append(i)
    yield current


def _words(operation: LayerCaption, limit: float) -> Iterator[ColumnText]:
    for i, text in enumerate(_wrapped(operation.head.split(), HEAD_SIZE, limit)):
        yield ColumnText(text, HEAD_SIZE, "ink", apart=i == 0)
    for text in _wrapped(operation.details, DETAIL_SIZE, limit):
        yield ColumnText(text)


def _line(operation: LayerCaption, limit: float) -> Iterator[ColumnText]:
    """Yield the operation as it appears in a list: on one line, if it fits."""
    for text in _wrapped((*operation.head.split(), *operation.details), DETAIL_SIZE, limit):
        yield ColumnText(text, DETAIL_SIZE, "ink")


def wrapped(text: str, size: float, limit: float, fill: str) -> list[ColumnText]:
    """Return the words of ``text`` in lines no longer than ``limit``, except for single longer words."""
    return [ColumnText(line, size, fill, bold=True) for line in _wrapped(text.split(), size * 1.16, limit)]


def _wrapped(words: Sequence[str], size: float, limit: float) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size) > limit:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _make_room_for_labels(found: Hourglass, columns: list[Column]) -> None:
    starts = [column.slabs[0] for column in columns]
    for group in found.groups:
        if group.label:
            within = columns[bisect_left(starts, group.first) : bisect_left(starts, group.last + 1)]
            _widen(within, text_width(group.label, LABEL_SIZE) + COLUMN_GAP)


def _twins(encoder: list[ColumnStage], decoder: list[ColumnStage]) -> Iterator[tuple[ColumnStage, ColumnStage]]:
    """Yield each encoder stage with the next decoder stage of its resolution, from the code outwards."""
    places: dict[Shape, list[int]] = defaultdict(list)
    for place, stage in enumerate(decoder):
        places[stage.resolution].append(place)
    start = 0
    for stage in encoder:
        same = places[stage.resolution]
        next_one = bisect_left(same, start)
        if next_one < len(same):
            yield stage, decoder[same[next_one]]
            start = same[next_one] + 1


def _stages(columns: list[Column]) -> list[ColumnStage]:
    return [
        ColumnStage(resolution, list(members))
        for resolution, members in groupby(columns, key=lambda column: column.resolution)
    ]


def mirror(arrangement: Arrangement) -> None:
    """Give twin columns equal widths; if the whole decoder mirrors the encoder, give twins equal distances as well.

    A stage of the code's own resolution need not have a twin: the other side is left empty there.
    """
    encoder, decoder, twins = arrangement.encoder, arrangement.decoder, arrangement.twins
    code = next(column.resolution for column in arrangement.columns if column.part == "bottleneck")
    for left, right in twins:
        for one, other in zip(left.columns, right.columns, strict=False):
            one.width = other.width = max(one.width, other.width)
    outer = [[stage for stage in side if stage.resolution != code] for side in (encoder, decoder)]
    if not len(outer[0]) == len(outer[1]) == sum(left.resolution != code for left, _ in twins):
        return
    for left, right in twins[:-1]:
        for stage in (left, right):
            _leave_empty(stage.columns[-1], max(left.width, right.width) - stage.width, far=True)
    inner = [sum(stage.width for stage in side if stage.resolution == code) for side in (encoder, decoder)]
    for side, missing in zip(outer, (inner[1] - inner[0], inner[0] - inner[1]), strict=True):
        if side and missing > 0:
            _leave_empty(side[0].columns[0], missing, far=False)


def _leave_empty(column: Column, room: float, far: bool) -> None:
    column.width += room
    column.beyond += room if far else -room


def _widen(columns: list[Column], width: float) -> None:
    missing = width - sum(column.width for column in columns)
    if missing > 0:
        for column in columns:
            column.width += missing / len(columns)
