"""Reading of one value according to its option type: numbers with units, arithmetic, sizes, words."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from caedsl.diagnostics import foreign_words
from caedsl.model.data import InputRange
from caedsl.resolve.reading.glued import words_apart
from caedsl.resolve.reading.misreads import called, empty_range, misspelt_auto, outside_domain, path_pattern, wrong_type
from caedsl.resolve.reading.quantities import LONGEST_NUMBER, Misread, Quantity, quantity, shown
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import bare
from caedsl.vocabulary.option import AUTO, Option, Type
from caedsl.vocabulary.shape import MOST_AXES, Sides

LARGEST_PIXEL = 3.4e38
"""Limit pixels to this value: images are 32-bit floating point, whose maximum is slightly larger."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def read(option: Option, node: tree.Value, scope: Scope) -> Any:
    """Return the value of ``node`` for ``option``, or a ``Misread``."""
    if option.auto and isinstance(node, tree.WrittenWord) and (node.text == AUTO or not scope.is_constant(node.text)):
        return AUTO if node.text == AUTO else misspelt_auto(node, scope)
    if isinstance(node, tree.Range):
        if "..." in (text := scope.source.slice(node.span)):
            high = text.replace("...", "..0.")
            help_line = f"write `{text.replace('...', '..')}`, or `{high}` if the end is a fraction"
            return Misread("wrong-type", node.span, f"`{text}` has three points, but a range has two", help_line)
        if option.ranged:
            return _drawn(option, node, scope)
    return _READERS[option.type](option, node, scope)


def _drawn(option: Option, node: tree.Range, scope: Scope) -> Any:
    """Return the ends of a range from which each sample draws its own value."""
    ends = [_READERS[option.type](option, end, scope) for end in (node.low, node.high)]
    misread = next((end for end in ends if isinstance(end, Misread)), None)
    if misread is not None:
        return misread
    low, high = ends
    single = scope.source.slice(node.low.span) if low == high else ""
    return (low, high) if low < high else empty_range(node, scope, single)


def is_whole(item: tree.Item) -> bool:
    """Return whether the item is a whole number of limited length, without a unit."""
    return isinstance(item, tree.Number) and item.text.isdigit() and len(item.text) <= LONGEST_NUMBER


def short_value(text: str, span: Span) -> tree.Value:
    """Return the value of ``k3`` or ``k3x5``; one that is too long stays a text, which is rejected."""
    dims = text.split("x")
    longest = max(dims, key=len)
    if len(dims) == 1 or len(longest) > LONGEST_NUMBER:
        return tree.Number(longest, span)
    return tree.Size(tuple(map(int, dims)), span)


def _scalar(option: Option, node: tree.Value, scope: Scope, *units: str) -> Fraction | Misread:
    if isinstance(node, tree.Size | tree.QuotedText | tree.Range | tree.Divisor):
        return wrong_type(option, node, scope)
    number = quantity(node, scope)
    if isinstance(number, Misread):
        return number
    if number.unit not in units:
        return wrong_type(option, node, scope)
    return outside_domain(option, number.value, node, scope) or number.value


def _count(option: Option, node: tree.Value, scope: Scope) -> Any:
    value = _scalar(option, node, scope, "")
    if isinstance(value, Misread):
        return value
    return int(value) if value.denominator == 1 else wrong_type(option, node, scope)


def _number(option: Option, node: tree.Value, scope: Scope) -> Any:
    value = _scalar(option, node, scope, "")
    return value if isinstance(value, Misread) else float(value)


def _share(option: Option, node: tree.Value, scope: Scope) -> Any:
    value = _scalar(option, node, scope, "", "%")
    return value if isinstance(value, Misread) else float(value)


def _duration(option: Option, node: tree.Value, scope: Scope) -> Any:
    value = _scalar(option, node, scope, "s")
    return value if isinstance(value, Misread) else float(value)


def _per_axis(option: Option, node: tree.Value, scope: Scope) -> Any:
    if not isinstance(node, tree.Size):
        single = _count(option, node, scope)
        return single if isinstance(single, Misread) else (single,)
    return wrong_type(option, node, scope) if len(node.dims) > MOST_AXES else _dims(option, node, scope)


def _shape(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.Size):
        return wrong_type(option, node, scope) if len(node.dims) > 1 + MOST_AXES else _dims(option, node, scope)
    single = _count(option, node, scope)
    return single if isinstance(single, Misread) else (single,)


def _dims(option: Option, node: tree.Size, scope: Scope) -> Any:
    for dim in node.dims:
        misread = outside_domain(option, Fraction(dim), node, scope)
        if misread:
            return misread
    return node.dims


def _choice(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.WrittenWord) and node.text in option.choices:
        return node.text
    listed = f"one of {', '.join(option.choices)}" if len(option.choices) > 1 else f"`{option.choices[0]}`"
    text = scope.source.slice(node.span)
    near = scope.nearest(text, option.choices) or ""
    if text.startswith(near) and (words := words_apart(text.removeprefix(near))):  # `norm=batchrelu`
        near = " ".join((near, *words))
    message = f"{called(option)} cannot be `{text}`: it must be {listed}"
    note = foreign_words.VALUE_NOTES.get(text.lower())
    if note is not None and note[0] in option.choices:
        return Misread("unknown-value", node.span, message, note[1])
    return Misread("unknown-value", node.span, message, f"choose {listed}", near or None)


def _switch(option: Option, node: tree.Value, scope: Scope) -> Any:
    value = _choice(option._replace(choices=("on", "off")), node, scope)
    return value if isinstance(value, Misread) else value == "on"


def _padding(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.WrittenWord) and (node.text in option.choices or not scope.is_constant(node.text)):
        return _choice(option, node, scope)
    return _per_axis(option, node, scope)


def _name(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.WrittenWord):
        return node.text
    text = node.value if isinstance(node, tree.QuotedText) else scope.source.slice(node.span)
    plain = re.sub(r"\W+", "_", text)
    help_line = "names are made of letters, digits and `_`, and start with a letter"
    meant = plain if _NAME.fullmatch(plain) else None
    return wrong_type(option, node, scope)._replace(help=help_line, meant=meant)


def _path(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.QuotedText) and node.value.strip():
        return path_pattern(node) if option.type is Type.PATH and "*" in node.value else node.value
    misread = wrong_type(option, node, scope)
    quoted = f'write it in double quotes: `"{scope.source.slice(node.span)}"`'
    return misread if isinstance(node, tree.QuotedText) else misread._replace(help=quoted)


def _field(option: Option, node: tree.Value, scope: Scope) -> Any:
    """Return the name of an array or a column, which may contain any characters."""
    return node.text if isinstance(node, tree.WrittenWord) else _path(option, node, scope)


def _label(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.WrittenWord) and not scope.is_constant(node.text):
        return wrong_type(option, node, scope)._replace(help=f'write `{option.name}="{node.text}"`')
    return node.value if isinstance(node, tree.QuotedText) else _count(option, node, scope)


def _divisor(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.Divisor):
        return _count(option, node.value, scope)
    number = quantity(node, scope) if isinstance(node, tree.Number | tree.Operation) else None
    if not isinstance(number, Quantity) or number.value <= 0:
        return wrong_type(option, node, scope)
    divisor = max(number.value, 1 / number.value)
    return wrong_type(option, node, scope)._replace(help=f"write `{option.name}=/{shown(divisor)}`")


def _range(option: Option, node: tree.Value, scope: Scope) -> Any:
    if isinstance(node, tree.WrittenWord) and node.text == "real":
        return InputRange(None, None)
    if not isinstance(node, tree.Range):
        return wrong_type(option, node, scope)
    low, high = quantity(node.low, scope), quantity(node.high, scope)
    if isinstance(low, Misread):
        return low
    if isinstance(high, Misread):
        return high
    if low.value >= high.value:
        return empty_range(node, scope, "0..1" if low.value == high.value else "")
    if max(abs(low.value), abs(high.value)) > LARGEST_PIXEL:
        text = scope.source.slice(node.span)
        message = f"the range `{text}` is too large for images, whose values end at {LARGEST_PIXEL:.1e}"
        return Misread("out-of-domain", node.span, message, "divide the data by a constant first: `0..1`")
    return InputRange(float(low.value), float(high.value))


def _ends(option: Option, node: tree.Value, scope: Scope) -> Any:
    values = _range(option, node, scope) if isinstance(node, tree.Range) else wrong_type(option, node, scope)
    return values.ends if isinstance(values, InputRange) else values


def _sides(option: Option, node: tree.Value, scope: Scope) -> Any:
    """Return one number for each axis, or what comes before and after on every axis."""
    if not isinstance(node, tree.Range):
        return _padding(option, node, scope) if option.choices else _per_axis(option, node, scope)
    before, after = _count(option, node.low, scope), _count(option, node.high, scope)
    misread = next((side for side in (before, after) if isinstance(side, Misread)), None)
    return misread or Sides(before, after)


def _activation(option: Option, node: tree.Value, scope: Scope) -> Any:
    return _choice(option._replace(choices=tuple(bare())), node, scope)


_READERS: dict[Type, Callable[[Option, Any, Scope], Any]] = {
    Type.COUNT: _count,
    Type.NUMBER: _number,
    Type.SHARE: _share,
    Type.PER_AXIS: _per_axis,
    Type.SIZE: _per_axis,
    Type.SHAPE: _shape,
    Type.CHOICE: _choice,
    Type.SWITCH: _switch,
    Type.FLAG: _switch,
    Type.PADDING: _padding,
    Type.RANGE: _range,
    Type.ENDS: _ends,
    Type.SIDES: _sides,
    Type.DURATION: _duration,
    Type.NAME: _name,
    Type.FIELD: _field,
    Type.PATH: _path,
    Type.TEXT: _path,
    Type.LABEL: _label,
    Type.DIVISOR: _divisor,
    Type.ACTIVATION: _activation,
}
