"""Write a drawing as SVG: text stays text, the background is transparent.

Each mark carries its light colour as an attribute, which every renderer understands. The only CSS is a media query that
replaces the colours on dark screens: renderers without media queries skip it entirely, and paper stays light.
"""

from html import escape

from caedsl.figures.drawing import Area, Box, Drawing, Mark, MarkGroup, Point, Polyline, Sum, TextMark, toward
from caedsl.figures.palette import Palette, Scheme

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'DejaVu Sans', sans-serif"
PIXELS_PER_POINT = 96 / 72
CAP_HALF = 0.36
"""Half the height of capitals in most sans fonts, in ems: it centres text, since no baseline keyword is portable."""


def svg(drawing: Drawing, on_white: bool = False) -> str:
    """Return the drawing as the text of an SVG file; equal drawings give equal text.

    ``on_white`` is for pages whose colours need not match the reader's screen, such as notebooks.
    """
    pixels = 1.0 if drawing.scale is None else drawing.scale * PIXELS_PER_POINT
    size = f'width="{_number(drawing.width * pixels)}" height="{_number(drawing.height * pixels)}"'
    look = 'style="background: #ffffff"' if on_white else 'class="caedsl"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {look} {size}',
        f'  viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}" role="img"',
        f'  font-family="{FONTS}">',
        f"<title>{escape(drawing.title)}</title>",
        f"<desc>{escape(drawing.about)}</desc>",
        *(() if on_white else _style(drawing.scheme)),
    ]
    for group in drawing.groups:
        lines += _group(group, drawing.scheme.light)
    return "\n".join((*lines, "</svg>", ""))


def _style(scheme: Scheme) -> list[str]:
    """Return the rules for dark screens; a rule outside the query would override the attributes."""
    return [
        "<style>",
        "@media screen and (prefers-color-scheme: dark) {",
        *(
            f".caedsl .fill-{name} {{ fill: {colour}; }} .caedsl .stroke-{name} {{ stroke: {colour}; }}"
            for name, colour in scheme.dark.items()
        ),
        "}",
        "</style>",
    ]


def _group(group: MarkGroup, palette: Palette) -> list[str]:
    title = [f"  <title>{escape(group.title)}</title>"] if group.title else []
    return [f'<g id="{escape(group.id)}">', *title, *(f"  {_mark(mark, palette)}" for mark in group.marks), "</g>"]


def _mark(mark: Mark, palette: Palette) -> str:
    match mark:
        case Box():
            dashes = ' stroke-dasharray="4 3"' if mark.dashed else ""
            place = f'x="{_number(mark.x)}" y="{_number(mark.y)}"'
            size = f'width="{_number(mark.width)}" height="{_number(mark.height)}" rx="2"'
            return f'<rect {place} {size} {_paint(palette, mark.fill, mark.stroke)} stroke-width="1.2"{dashes}/>'
        case Area():
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in mark.points)
            return f'<polygon points="{points}" {_paint(palette, mark.fill, None)}/>'
        case Polyline():
            dots = ' stroke-dasharray="1.5 3"' if mark.dotted else ' stroke-dasharray="4 3"' if mark.dashed else ""
            stroke = f'{_paint(palette, None, mark.stroke)} stroke-width="{_number(mark.width)}"'
            path = f'<path d="{_path(mark)}" {stroke}{dots}/>'
            return path + (_arrow_head(mark, palette) if mark.arrow else "")
        case Sum():
            x, y, r = _number(mark.x), _number(mark.y), mark.radius
            sign = f"M{_number(mark.x - r)} {y}h{_number(2 * r)}M{x} {_number(mark.y - r)}v{_number(2 * r)}"
            circle = (
                f'<circle cx="{x}" cy="{y}" r="{_number(r)}" {_paint(palette, None, mark.stroke)} stroke-width="1.2"/>'
            )
            return f'{circle}<path d="{sign}" {_paint(palette, None, mark.stroke)} stroke-width="1.2"/>'
        case TextMark():
            return _text(mark, palette)


def _text(mark: TextMark, palette: Palette) -> str:
    shift = mark.size * CAP_HALF
    x, y = (mark.x + shift, mark.y) if mark.upwards else (mark.x, mark.y + shift)
    turned = f' transform="rotate(-90 {_number(x)} {_number(y)})"' if mark.upwards else ""
    weight = ' font-weight="bold"' if mark.bold else ""
    anchor = ' text-anchor="middle"' if mark.anchor == "middle" else ""
    place = f'x="{_number(x)}" y="{_number(y)}" font-size="{_number(mark.size)}"'
    return f"<text {place}{weight}{anchor}{turned} {_paint(palette, mark.fill, None)}>{escape(mark.text)}</text>"


def _path(line: Polyline) -> str:
    """Return a path straight from point to point; a quadratic curve rounds each corner, ``radius`` to either side."""
    steps = [f"M{_point(line.points[0])}"]
    for before, corner, after in zip(line.points, line.points[1:], line.points[2:], strict=False):
        near, far = (toward(corner, before, line.radius), toward(corner, after, line.radius))
        steps.append(f"L{_point(near)}Q{_point(corner)} {_point(far)}" if line.radius else f"L{_point(corner)}")
    return "".join((*steps, f"L{_point(line.points[-1])}"))


def _arrow_head(line: Polyline, palette: Palette) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in line.head)
    return f'<polygon points="{points}" {_paint(palette, line.stroke, None)}/>'


def _paint(palette: Palette, fill: str | None, stroke: str | None) -> str:
    classes = [f"fill-{fill}"] * bool(fill) + [f"stroke-{stroke}"] * bool(stroke)
    colours = f'fill="{palette[fill] if fill else "none"}"' + (f' stroke="{palette[stroke]}"' if stroke else "")
    return f'class="{" ".join(classes)}" {colours}'


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
