"""Elements of a figure as plain data: shapes with coordinates, which ``svg`` and ``raster`` draw in the same way.

``y`` grows downwards. Colours are names of ``palette``.
"""

from dataclasses import dataclass

from caedsl.figures.palette import COLOURS, Scheme

Point = tuple[float, float]

_WIDTHS = {
    "ijlIJ'": 0.33,
    " ,.·:;/\\|": 0.34,
    "()[]ft-r!": 0.42,
    '_*`?"s': 0.53,
    "mMWw@%…": 1.0,
    "+=<>~×#→−^": 0.84,
    "ABCDEFGHKLNOPQRSTUVXYZ&": 0.79,
}
_WIDTH = {character: width for characters, width in _WIDTHS.items() for character in characters}
_OTHER = 0.64
_BOLD = 1.16
ARROW = 6.0


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of ``text`` in a wide sans font (DejaVu Sans, Verdana), rounded up to fit in any font."""
    return sum(_WIDTH.get(c, _OTHER if c.isascii() else 1.0) for c in text) * size * (_BOLD if bold else 1.0)


def shorten(text: str, size: float, limit: float, bold: bool = False) -> str:
    """Return as much of ``text`` as fits into ``limit``, with an ellipsis for omitted letters."""
    if text_width(text, size, bold) <= limit:
        return text
    while text and text_width(f"{text}…", size, bold) > limit:
        text = text[:-1]
    return f"{text}…" if text else ""


@dataclass(frozen=True)
class Bounds:
    """Axis-aligned rectangle from (left, top) to (right, bottom)."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Bounds") -> bool:
        """Return whether the two share an area."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class Box:
    """Axis-aligned rectangle, outlined and filled; without ``fill`` only the outline is drawn, dashed on request."""

    x: float
    y: float
    width: float
    height: float
    stroke: str
    fill: str | None = None
    dashed: bool = False

    @property
    def bounds(self) -> Bounds:
        """The rectangle itself."""
        return Bounds(self.x, self.y, self.x + self.width, self.y + self.height)


@dataclass(frozen=True)
class Area:
    """Filled polygon without an outline."""

    points: tuple[Point, ...]
    fill: str

    @property
    def bounds(self) -> Bounds:
        """The smallest rectangle around the polygon."""
        return _around(self.points)


@dataclass(frozen=True)
class Polyline:
    """Polyline with rounded corners of ``radius``, dotted or dashed on request, with an arrowhead on request."""

    points: tuple[Point, ...]
    stroke: str
    width: float = 1.0
    dotted: bool = False
    dashed: bool = False
    arrow: bool = False
    radius: float = 0.0

    @property
    def head(self) -> tuple[Point, ...]:
        """Triangle of an arrow in the direction of the last segment: to the right, or down."""
        (_, before), (x, y) = self.points[-2:]
        if y > before:
            return ((x, y), (x - ARROW / 2, y - ARROW), (x + ARROW / 2, y - ARROW))
        return ((x, y), (x - ARROW, y - ARROW / 2), (x - ARROW, y + ARROW / 2))

    @property
    def bounds(self) -> Bounds:
        """The smallest rectangle around the line."""
        return _around((*self.points, *(self.head if self.arrow else ())))


@dataclass(frozen=True)
class Sum:
    """The sign ⊕ where a shortcut is added."""

    x: float
    y: float
    radius: float
    stroke: str

    @property
    def bounds(self) -> Bounds:
        """The square around the circle."""
        return Bounds(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


@dataclass(frozen=True)
class TextMark:
    """One line of text, centred on ``x`` (or starting there, ``anchor="start"``), with its middle at ``y``.

    ``upwards`` rotates it a quarter turn to the left around that point.
    """

    x: float
    y: float
    text: str
    size: float
    fill: str = "ink"
    bold: bool = False
    anchor: str = "middle"
    upwards: bool = False

    @property
    def width(self) -> float:
        """Length of the line."""
        return text_width(self.text, self.size, self.bold)

    @property
    def bounds(self) -> Bounds:
        """Largest area that the letters may take."""
        along, across = self.width, self.size * 1.16
        if self.upwards:
            return Bounds(self.x - across / 2, self.y - along / 2, self.x + across / 2, self.y + along / 2)
        left = self.x if self.anchor == "start" else self.x - along / 2
        return Bounds(left, self.y - across / 2, left + along, self.y + across / 2)


Mark = Box | Area | Polyline | Sum | TextMark


@dataclass(frozen=True)
class MarkGroup:
    """Marks that belong together: an id unique in the figure, and a title that a viewer shows under the pointer."""

    id: str
    title: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Drawing:
    """Whole figure: its size, a title, a sentence that describes it, and the groups from back to front.

    ``scale`` is the number of points (1/72 inch) per unit; with None a unit is a point on paper and a pixel on the
    screen.
    """

    width: float
    height: float
    title: str
    about: str
    groups: tuple[MarkGroup, ...]
    scale: float | None = None
    scheme: Scheme = COLOURS

    def marks(self) -> tuple[Mark, ...]:
        """All marks from back to front."""
        return tuple(mark for group in self.groups for mark in group.marks)


def _around(points: tuple[Point, ...]) -> Bounds:
    across, down = [x for x, _ in points], [y for _, y in points]
    return Bounds(min(across), min(down), max(across), max(down))


def toward(start: Point, end: Point, distance: float) -> Point:
    """Return the point at ``distance`` from ``start`` on the way to ``end``, at most half-way."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    share = min(distance / length, 0.5) if length else 0.0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
