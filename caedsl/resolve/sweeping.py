"""Reading of ``sweep { ... }``: names of settings, each with the values to try."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import log10, prod
from typing import NamedTuple

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Label
from caedsl.model.sweep import Sweep, Swept, SweptValue
from caedsl.resolve.merging.declared import declared_options
from caedsl.resolve.reading.quantities import Misread, Quantity, quantity, report_misread
from caedsl.resolve.scope import Scope
from caedsl.resolve.settings_table import SETTINGS
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end
from caedsl.syntax.keywords import STATEMENTS
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.layers.dense import UNITS, Dense

MOST_VARIANTS = 256
"""Limit the variants of one sweep, because each is checked."""

DEFAULT_POINTS = 5
"""Use this many values for a range without ``x``."""

_WHOLE = ("input", "data", "bottleneck", "decoder")
"""Statements that can be swept as a whole, or by their options."""

_NAMING = ("let", "encoder", "decoder", "block")
"""Parts of a spec whose numbers are swept by constants."""

_FORM_OPTIONS = {Dense.name: UNITS.name, Conv.name: CHANNELS.name}
"""The option with the size of a code, by the form of the bottleneck."""

_POINTS = re.compile(r"x([0-9]{1,40})")
_MOST_DIGITS = 17  # of a 64-bit number
_LARGEST_COUNT = 10**15  # of variants that is written out
_USAGE = "write values as in `16 32 64`, or a range as in `1e-4..1e-2 log x5`"


class _Values(NamedTuple):
    """Values of one line: those written, or the points of a range, which are computed later."""

    number: int
    written: tuple[SweptValue, ...] = ()
    ends: tuple[Quantity, ...] = ()
    logarithmic: bool = False
    span: Span = Span(0, 0)


def read_sweep(statement: tree.Statement, scope: Scope) -> Sweep | None:
    """Return what a ``sweep`` statement varies, or None if that is nothing or too much to check."""
    known = _names(statement, scope)
    lines: dict[str, tuple[Span, _Values]] = {}
    for line in statement.block or ():
        name = _name(line, known, scope)
        if name is not None and name in lines:
            message = f"`{name}` is swept twice"
            related = (Label(lines[name][0], "first here"),)
            scope.report("duplicate-statement", line.span, message, related=related, help="keep one of them")
        elif name is not None and (values := _read_values(line, scope)) is not None:
            lines[name] = (line.head.span, values)
    if statement.block is not None and not statement.block and not statement.broken:
        example = "sweep { train.optimizer.lr 1e-4..1e-2 log }"
        scope.report("missing-value", statement.span, "this sweep varies nothing", help=f"write `{example}`")
    count = prod(values.number for _, values in lines.values())
    if count > MOST_VARIANTS:
        number = f"{count:,}" if count <= _LARGEST_COUNT else f"more than {_LARGEST_COUNT:,}"
        message = f"this sweep has {number} variants, but at most {MOST_VARIANTS} can be checked"
        help_line = "sweep fewer names, or fewer values of each"
        scope.report("too-many-variants", statement.span, message, help=help_line)
        return None
    names = tuple(Swept(name, _worked_out(values), span) for name, (span, values) in lines.items())
    return Sweep(names, Span(statement.span.start, end(scope.source.text, statement))) if names else None


def _names(statement: tree.Statement, scope: Scope) -> frozenset[str]:
    """Return every name that can be swept in this spec."""
    if not statement.block:
        return frozenset()
    names = {f"let.{constant}" for constant in (*scope.constants, *scope.unknown_constants)}
    for word in SETTINGS:
        names |= {f"train.{word}", *(f"train.{word}.{option.name}" for option in declared_options("train", word))}
    for word in _WHOLE:
        names |= {word, *(f"{word}.{option.name}" for option in declared_options("", word))}
    return frozenset(names)


def _name(line: tree.Statement, known: frozenset[str], scope: Scope) -> str | None:
    name = line.head.text
    if line.block is not None:
        scope.report("unexpected-block", line.head.span, f"`{name}` takes no block here", help="remove the braces")
        return None
    if name == "bottleneck" and line.items and all(isinstance(item, tree.Number) for item in line.items):
        values = _after_head(line, scope)
        message = "a number after `bottleneck` asserts the shape of the code, which a sweep cannot vary"
        help_line = f"write `bottleneck.units {values}` for a dense code, `bottleneck.channels {values}` for a map"
        scope.report("unexpected-value", line.span, message, help=help_line)
        return None
    if name in known:
        return name
    help_line = "use the names of `--set`: `let.width`, `train.batch`, `train.optimizer.lr`, `bottleneck.l1`"
    first, _, last = name.rpartition(".")
    last = foreign_words.OPTIONS.get(last, last)
    near = next((full for full in sorted(known) if full.endswith((f".{name}", f".{last}"))), None)
    root = name.partition(".")[0]
    size = _FORM_OPTIONS.get(foreign_words.FORMS.get(last.replace("_", ""), last))
    if near is None and size is None and name not in STATEMENTS:
        near = scope.nearest(name, sorted(full for full in known if full.partition(".")[0] == root))
    if near is None and size is not None:
        help_line = f"write `bottleneck.{size} {_after_head(line, scope)}`"
    elif near is None and (first in _NAMING or (not first and name not in STATEMENTS)):
        value = scope.source.slice(line.items[0].span) if line.items else "16"
        help_line = f"define a constant and use it in the spec: `let {last} = {value}`; then sweep `let.{last}`"
    scope.report("unknown-setting", line.head.span, f'"{name}" cannot be swept', help=help_line, meant=near)
    return None


def _after_head(line: tree.Statement, scope: Scope) -> str:
    return scope.source.slice(Span(line.head.span.end, line.span.end)).strip()


def _read_values(line: tree.Statement, scope: Scope) -> _Values | None:
    if not line.items:
        if not line.broken:
            scope.report("missing-value", line.span, f"`{line.head.text}` has no values", help=_USAGE)
        return None
    if any(isinstance(item, tree.Range) for item in line.items):
        return _read_range(line, scope)
    if line.head.text in _WHOLE and len({isinstance(item, tree.WrittenWord) for item in line.items}) > 1:
        span = line.items[0].span.to(line.items[-1].span)
        message = f"`{scope.source.slice(span)}` is {len(line.items)} separate values here, one per variant"
        scope.report("unexpected-value", span, message, help="sweep a constant, and use it on the line: `let code = 8`")
        return None
    values: dict[object, SweptValue] = {}
    for item in line.items:
        text = scope.source.slice(item.span)
        if isinstance(item, tree.WrittenOption | tree.ComparisonSign | tree.Divisor):
            message = f"`{text}` is not a value that can be swept"
            scope.report("unexpected-value", item.span, message, help="sweep an option by its dotted name, or a `let`")
            return None
        key = _comparison_key(item, text, scope)
        if key in values:
            message = f"`{text}` is the same value as `{values[key].text}`"
            related = (Label(values[key].span, "first here"),)
            scope.report("duplicate-option", item.span, message, related=related, help="keep one of them")
            continue
        values[key] = SweptValue(text, item.span)
    return _Values(len(values), tuple(values.values()))


def _comparison_key(item: tree.Item, text: str, scope: Scope) -> object:
    """Return the key by which equal values are recognised: their number, or else their text."""
    if isinstance(item, tree.Number):
        number = quantity(item, scope)
        if isinstance(number, Quantity):
            return number.value
    return text


def _read_range(line: tree.Statement, scope: Scope) -> _Values | None:
    limits, *rest = line.items
    points, logarithmic = DEFAULT_POINTS, False
    for item in rest:
        match = _POINTS.fullmatch(item.text) if isinstance(item, tree.WrittenWord) else None
        if match:
            points = int(match[1])
        elif isinstance(item, tree.WrittenWord) and item.text == "log" and not logarithmic:
            logarithmic = True
        else:
            text = scope.source.slice(item.span)
            scope.report("unexpected-value", item.span, f"`{text}` cannot be combined with a range", help=_USAGE)
            return None
    if not isinstance(limits, tree.Range):
        text = scope.source.slice(limits.span)
        scope.report("unexpected-value", limits.span, f"`{text}` cannot be combined with a range", help=_USAGE)
        return None
    if points < 2:
        scope.report("out-of-domain", line.span, "a range has at least 2 points", help="write `x2` or more")
        return None
    ends = [quantity(node, scope) for node in (limits.low, limits.high)]
    for number in ends:
        if isinstance(number, Misread):
            report_misread(number, scope)
            return None
    low, high = (number for number in ends if isinstance(number, Quantity))
    if problem := _range_problem(low, high, logarithmic):
        scope.report("out-of-domain", limits.span, problem[0], help=problem[1])
        return None
    return _Values(points, ends=(low, high), logarithmic=logarithmic, span=limits.span)


def _range_problem(low: Quantity, high: Quantity, logarithmic: bool) -> tuple[str, str] | None:
    """Return the mistake in the ends of a range, and the remedy."""
    if low.unit != high.unit:
        return "the ends of this range have different units", "give both the same unit"
    if low.value >= high.value:
        return "this range is empty", "write the lower end first"
    if logarithmic and low.value <= 0:
        return "a logarithmic range must start above 0", "start above 0, or remove `log`"
    return None


def _worked_out(values: _Values) -> tuple[SweptValue, ...]:
    if not values.ends:
        return values.written
    low, high = values.ends
    numbers = _points(low.value, high.value, values.number, values.logarithmic)
    return tuple(SweptValue(_spelled(number, low.unit), values.span) for number in numbers)


def _spelled(number: Fraction, unit: str) -> str:
    shown = number * 100 if unit == "%" else number
    return f"{shown.numerator if shown.denominator == 1 else float(shown)}{unit}"


def _points(low: Fraction, high: Fraction, count: int, logarithmic: bool) -> list[Fraction]:
    """Return ``count`` numbers from ``low`` to ``high``, with as few digits as distinguish them.

    Between whole ends they are whole numbers, if these are distinct.
    """
    shares = [place / (count - 1) for place in range(1, count - 1)]
    if logarithmic:
        start, end = log10(low), log10(high)
        middle = [10 ** (start + (end - start) * share) for share in shares]
    else:
        middle = [float(low + (high - low) * Fraction(share)) for share in shares]
    whole = [low, *(Fraction(round(point)) for point in middle), high]
    if low.denominator == high.denominator == 1 and _ascending(whole):
        return whole
    for digits in range(3, _MOST_DIGITS):
        points = [low, *(Fraction(f"{point:.{digits}g}") for point in middle), high]
        if _ascending(points):
            return points
    return [low, *map(Fraction, middle), high]


def _ascending(points: Sequence[Fraction]) -> bool:
    return all(one < other for one, other in pairwise(points))
