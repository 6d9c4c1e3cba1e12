"""Reasons why a value cannot be read, in the words of a finding."""

import re
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from caedsl.resolve.reading.quantities import Misread, Quantity, quantity, shown
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.syntax.errors.wording import before_pattern
from caedsl.vocabulary.option import AUTO, Option, Type, Written

_CALLED = {
    "channels": "the number of channels",
    "units": "the number of units",
    "amount": "the margin",
    "channel_groups": "the number of groups",
    "times": "the number of repeats",
    "kernel": "the kernel",
    "stride": "the stride",
    "dilation": "the dilation",
    "factor": "the factor",
    "scale": "the factor",
    "value": "the value",
    "rate": "the share",
    "shape": "the shape",
    "path": "the path",
    "name": "the name",
    "mode": "`decoder`",
}
"""Name options in messages whose name no spec writes."""


def outside_domain(option: Option, value: Fraction, node: tree.Value, scope: Scope) -> Misread | None:
    """Return why a number is not one that the option may have, or None if it is."""
    if option.domain.holds(float(value)):
        return None
    text = scope.source.slice(node.span)
    computed = "" if isinstance(node, tree.Number | tree.Size | tree.Negative) else f" = {shown(value)}"
    message = f"{called(option)} is `{text}`{computed}, but must be {option.domain}"
    help_line = _share(option, value, node, scope) if option.type is Type.SHARE else _nearest_inside(option, value)
    constant = node.text if isinstance(node, tree.WrittenWord) else ""
    return Misread("out-of-domain", node.span, message, help_line, word=constant)


def _share(option: Option, value: Fraction, node: tree.Value, scope: Scope) -> str:
    """Return what to write for a share of 1 or more: a percentage, or a number of epochs as a share of all."""
    if option.name == _WARMUP and value > 0:
        if scope.epochs and value.denominator == 1 and value < scope.epochs:
            share = f"{float(100 * value / scope.epochs):.3g}%"
            return f"write a share of all steps: {value} of {scope.epochs} epochs are `{share}`"
        return "write a share of all steps: the epochs of the warm-up divided by all epochs, in percent"
    text = scope.source.slice(node.span)
    if isinstance(node, tree.Number) and option.domain.holds(float(value) / 100) and not text.endswith("%"):
        return f"write `{text}%`"
    return "write a share such as 10%"


def _nearest_inside(option: Option, value: Fraction) -> str:
    """Return what to write for a number outside the domain: without its sign, or the nearest count."""
    low, high = option.domain.low, option.domain.high
    if value < 0 and option.domain.holds(float(-value)) and (option.type is not Type.COUNT or value.denominator == 1):
        return f"write `{shown(-value)}`"
    if option.type not in _COUNTS or low is None:
        return ""
    return f"write {low:g} or more" if value < low or high is None else f"write at most {high:,.0f}"


def _nearest_counts(option: Option, value: Quantity | Misread | None) -> str:
    """Return the counts next to a fraction that the option may be."""
    if option.type not in _COUNTS or not isinstance(value, Quantity) or value.unit or value.value.denominator == 1:
        return ""
    beside = (floor(value.value), ceil(value.value))
    return " or ".join(f"`{count}`" for count in beside if option.domain.holds(count))


_COUNTS = (Type.COUNT, Type.PER_AXIS)
_WARMUP = "warmup"


def called(option: Option) -> str:
    """Return the option's name for a sentence: its word in a spec, or a description."""
    if option.written in (Written.FIRST, Written.SHORT):
        return _CALLED.get(option.name, f"`{option.name}`")
    is_word = option.written is not Written.BARE or option.type is Type.FLAG
    return f"`{option.name}`" if is_word else f"the {option.name}"


def is_called_by_its_type(option: Option) -> bool:
    """Return whether the option's name only repeats its type, as "the path" does for a path."""
    return option.type.value.startswith(f"a {called(option).removeprefix('the ')}")


def wrong_type(option: Option, node: tree.Value, scope: Scope, wanted: str = "") -> Misread:
    """Return that a value is not what the option takes, which is ``wanted`` in words if that is not its type."""
    if isinstance(node, tree.WrittenWord) and node.text in scope.unknown_constants:
        return Misread("", node.span, "")  # reported where it is defined
    text = scope.source.slice(node.span)
    value = quantity(node, scope) if isinstance(node, _NUMERIC) else None
    is_computed = isinstance(value, Quantity) and not isinstance(node, tree.Number | tree.Negative)
    computed = f", which is {value}" if is_computed else ""
    if not wanted and is_called_by_its_type(option):
        message = f"`{text}`{computed and f'{computed},'} is not {option.type.value}"
    else:
        message = f"{called(option)} must be {wanted or option.type.value}, not `{text}`{computed}"
    if meant := _without_quotes(option, node) or _with_points(option, node):
        return Misread("wrong-type", node.span, message, f"write `{meant}`", meant)
    if option.type is Type.COUNT and isinstance(value, Quantity) and value.unit == "s" and option.name == _EPOCHS:
        duration = node.text if isinstance(node, tree.Number) else text
        return Misread("wrong-type", node.span, message, f"write `stop after={duration}`")
    if counts := _nearest_counts(option, value):
        return Misread("wrong-type", node.span, message, f"write {counts}")
    if option.type is Type.COUNT and option.written is Written.NAMED and _WITH_UNIT.match(text):
        number = re.sub(r"\D.*", "", text)
        return Misread("wrong-type", node.span, message, f"write a number without a unit: `{option.name}={number}`")
    if option.type is Type.DURATION and isinstance(node, tree.Number) and node.text.isdigit():
        return Misread("wrong-type", node.span, message, f"write the unit: `{text}s`, `{text}min` or `{text}h`")
    if option.type is Type.NUMBER and isinstance(node, tree.Number) and text.endswith("%"):
        share = quantity(node, scope)
        plain = f"{float(share.value):g}" if isinstance(share, Quantity) else text.removesuffix("%")
        return Misread("wrong-type", node.span, message, f"write `{plain}`", plain)
    return Misread("wrong-type", node.span, message)


def _without_quotes(option: Option, node: tree.Value) -> str:
    """Return the number in quotes, where an option takes a number; else an empty text."""
    numeric = option.type in (Type.COUNT, Type.NUMBER, Type.SHARE, Type.PER_AXIS, Type.SHAPE, Type.DURATION)
    text = node.value.strip() if isinstance(node, tree.QuotedText) else ""
    return text if numeric and _NUMBER.fullmatch(text) else ""


def _with_points(option: Option, node: tree.Value) -> str:
    """Return ``0-1`` as the range that it means, where an option takes one; else an empty text."""
    match node:
        case tree.Operation("-", tree.Number() as low, tree.Number() as high) if option.type is Type.RANGE:
            return f"{low.text}..{high.text}"
        case _:
            return ""


_NUMERIC = (tree.Number, tree.Negative, tree.WrittenWord, tree.Operation, tree.Parenthesised)
_EPOCHS = "epochs"
_WITH_UNIT = re.compile(r"\d+\s*[a-zA-Z]")
_NUMBER = re.compile(r"[\d.]+(?:e[+-]?\d+)?(?:%|[a-zA-Z]+)?|\d+(?:x\d+)+")
"""Match a number with a unit, and a size."""


def empty_range(node: tree.Range, scope: Scope, instead: str) -> Misread:
    """Return that a range is empty, with what to write ``instead`` if its ends are equal."""
    turned = f"{scope.source.slice(node.high.span)}..{scope.source.slice(node.low.span)}"
    help_line = f"write `{instead}`" if instead else f"write the lower end first: `{turned}`"
    return Misread("out-of-domain", node.span, f"the range `{scope.source.slice(node.span)}` is empty", help_line)


def misspelt_auto(word: tree.WrittenWord, scope: Scope) -> Misread:
    """Return that a word is neither a number nor `auto`."""
    near = scope.nearest(word.text, (AUTO, *scope.constants))
    message = f"`{word.text}` is not a number, `auto` or a constant defined above"
    return Misread("unknown-name", word.span, message, "write a number, or `auto` for an automatic choice", near)


def path_pattern(node: tree.QuotedText, endings: Sequence[str] = ()) -> Misread:
    """Return that a path has a `*`, with the folder before it; ``endings`` are those of the files that are read."""
    example = before_pattern(node.value, f"images{endings[0]}" if endings else "")
    what = "name one file" if endings else "name its folder"
    message = f'`"{node.value}"` has a `*`, but a path is that of one folder or file and no pattern'
    return Misread("wrong-type", node.span, message, f'{what}: `"{example}"`; rename a file whose own name has a `*`')
