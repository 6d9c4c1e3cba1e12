"""Numbers with units: literals, constants and arithmetic, exact and of limited length."""

import re
from collections.abc import Container, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.resolve.reading.glued import apart
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.option import AUTO

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?(%|[A-Za-z_]\w*)?$")
_UNITS = {
    "": (Fraction(1), ""),
    "%": (Fraction(1, 100), "%"),
    "k": (Fraction(10**3), ""),
    "M": (Fraction(10**6), ""),
    "G": (Fraction(10**9), ""),
    "s": (Fraction(1), "s"),
    "min": (Fraction(60), "s"),
    "h": (Fraction(3600), "s"),
}
"""Map a unit to its factor and the dimension of the product."""

_DIMENSIONS = {"": "a number", "%": "a share", "s": "a duration"}
_FOR_AUTO = "only `batch`, `threads` and the `lr` of an optimizer can be `auto`"
LARGEST_EXPONENT = 300
"""Reject powers of ten beyond this, which exceed 64-bit floating point."""

LONGEST_NUMBER = 40
_PLAIN = re.compile(r"\d{1,20}(\.\d{0,20})?")
_SEPARATED_UNITS = frozenset(
    (*(unit for unit in _UNITS if unit not in ("", "%")), "m")  # m may be minutes or millions
) | {form for unit in foreign_words.UNITS for form in (unit, unit.upper(), unit.title())}
_MOST_BITS = 2048  # bits of numerator and denominator together, about 600 digits
_BEYOND = "is too large for 64-bit floating point"
_BENEATH = "is too small for 64-bit floating point: the smallest number is 1e-300"


class Misread(NamedTuple):
    """Reason why a value cannot be read, as parts of a finding; without a ``name`` it was already reported."""

    name: str
    span: Span
    message: str
    help: str = ""
    meant: str | None = None
    word: str = ""


class SpacedNumber(tree.Number):
    """Number with a space before its unit, which ``text`` lacks."""


class Quantity(NamedTuple):
    """Exact number with its dimension: ``""``, ``%`` (already divided by 100) or ``s`` (seconds)."""

    value: Fraction
    unit: str = ""

    def __str__(self) -> str:
        return f"{shown(self.value * 100)}%" if self.unit == "%" else f"{shown(self.value)}{self.unit}"


def quantity(node: tree.Value, scope: Scope) -> Quantity | Misread:
    """Return the number that ``node`` stands for."""
    match node:
        case tree.Number():
            return _literal(node)
        case tree.WrittenWord():
            return _constant(node, scope)
        case tree.Parenthesised():
            return quantity(node.value, scope)
        case tree.Negative():
            inner = quantity(node.value, scope)
            return inner if isinstance(inner, Misread) else Quantity(-inner.value, inner.unit)
        case tree.Operation():
            return _operation(node, scope)
        case _:
            text = scope.source.slice(node.span)
            return Misread("wrong-type", node.span, f"`{text}` is not a number")


def shown(value: Fraction) -> str:
    """Return a number in plain notation."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def report_misread(misread: Misread, scope: Scope) -> None:
    """Report why a value cannot be read, unless the cause was already reported; a constant is one cause."""
    is_constant = misread.name == "out-of-domain" and bool(misread.word)
    if misread.name and not (is_constant and misread.message in scope.constant_faults):
        scope.constant_faults |= {misread.message} if is_constant else set()
        scope.report(misread.name, misread.span, misread.message, help=misread.help, meant=misread.meant)


def _literal(node: tree.Number) -> Quantity | Misread:
    known = _read_literal(node.text) if len(node.text) <= LONGEST_NUMBER else None
    return _misread_literal(node) if known is None else known


@lru_cache(maxsize=1000)
def _read_literal(text: str) -> Quantity | None:
    """Return the number in a text of bounded length, or None if it has none."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    mantissa, exponent, unit = match.groups()
    if (unit or "") not in _UNITS or abs(int(exponent or 0)) > LARGEST_EXPONENT:
        return None
    factor, dimension = _UNITS[unit or ""]
    value = Fraction(mantissa) * Fraction(10) ** int(exponent or 0) * factor
    return Quantity(value, dimension) if _representable(value) else None


def _misread_literal(node: tree.Number) -> Misread:
    match = _NUMBER.match(node.text)
    if match is None:
        return Misread("wrong-type", node.span, f"`{node.text}` is not a number")
    unit = match[3]
    is_extreme = len(node.text) > LONGEST_NUMBER or abs(int(match[2] or 0)) > LARGEST_EXPONENT
    if (unit or "") in _UNITS or is_extreme:
        beyond = _BENEATH if (match[2] or "").startswith("-") else _BEYOND
        return Misread("out-of-domain", node.span, f"`{node.text[:LONGEST_NUMBER]}` {beyond}")
    if re.fullmatch(r"\d+x", node.text):
        return Misread("unknown-unit", node.span, f"`{node.text}` is not a number", meant=node.text[:-1])
    if re.fullmatch(r"\d+x[\dx]*", node.text):
        message = f"`{node.text}` is not a size"
        return Misread("unknown-unit", node.span, message, "write whole numbers joined by x: `1x28x28`")
    if words := apart(node.text):
        message = f"`{node.text}` lacks the spaces between its values"
        return Misread("unknown-unit", node.span, message, f"write `{words}`", words)
    return Misread(
        "unknown-unit", node.span, f"`{node.text}` has an unknown unit `{unit}`", _unit_help(node.text, unit)
    )


def _unit_help(text: str, unit: str) -> str:
    """Return what to write for a number with a unit of elsewhere: ``1_000``, ``30m``, ``1d``."""
    if re.fullmatch(r"\d+(_\d+)+", text):
        return f"write `{text.replace('_', '')}`"
    if unit == "m":
        number = text.removesuffix(unit)
        return f"write `{number}min` for minutes, `{number}M` for millions"
    if unit.lower() in ("k", "g"):
        cased = unit.swapcase()
        return f"write `{text.removesuffix(unit)}{cased}`: units are k, M, G (thousands), %, s, min and h"
    if written := with_unit(text.removesuffix(unit), unit):
        return f"write `{written}`"
    if unit.lower() in foreign_words.NOUNS:
        return f"write `{text.removesuffix(unit)}`: the number is enough"
    return "units are k, M, G (thousands), %, s, min and h"


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit in the words of the language; an empty text if that has no such unit."""
    if unit in _UNITS:
        return number + unit
    factor, meant = foreign_words.UNITS.get(unit.lower(), (0, ""))
    return f"{shown(Fraction(number) * factor)}{meant}" if factor else ""


def is_unit(word: str) -> bool:
    """Return whether ``word`` is a unit, here or elsewhere."""
    return word in _SEPARATED_UNITS


def with_units(items: Sequence[tree.Item], scope: Scope, others: Sequence[Container[str]] = ()) -> Sequence[tree.Item]:
    """Return ``after=2 hours`` as ``after=2h``; ``others`` are words with another meaning on this line."""
    units = [
        place for place, item in enumerate(items) if type(item) is tree.WrittenWord and is_unit(item.text) and place
    ]
    if not units:
        return items
    joined = list(items)
    for place in reversed(units):
        before, word = items[place - 1], items[place]
        number = before.value if isinstance(before, tree.WrittenOption) else before
        assert isinstance(word, tree.WrittenWord)
        is_own = not scope.is_constant(word.text) and not any(word.text in known for known in others)
        if is_own and isinstance(number, tree.Number) and _PLAIN.fullmatch(number.text):
            joined[place - 1 : place + 1] = [_joined_unit(before, number, word)]
    return joined


def _joined_unit(before: tree.Item, number: tree.Number, unit: tree.WrittenWord) -> SpacedNumber | tree.WrittenOption:
    """Return a number, or an option with a number, and the unit after it."""
    written = with_unit(number.text, unit.text)
    whole = SpacedNumber(written or number.text + unit.text, number.span.to(unit.span))
    if not isinstance(before, tree.WrittenOption):
        return whole
    return tree.WrittenOption(before.name, whole, before.span.to(unit.span))


def report_space(node: tree.Value, scope: Scope) -> None:
    """Report a number that can be read, but is separated from its unit."""
    if isinstance(node, SpacedNumber):
        fix = Fix(f"write `{node.text}`", (Edit(node.span, node.text),), Applicability.SAFE)
        message = f"`{scope.source.slice(node.span)}` has a space before its unit"
        scope.report("unknown-unit", node.span, message, help=f"write `{node.text}`", fix=fix)


def _constant(node: tree.WrittenWord, scope: Scope) -> Quantity | Misread:
    constant = scope.constants.get(node.text)
    if constant is not None:
        scope.used.add(node.text)
        return Quantity(constant.value, constant.unit)
    scope.unknown_uses.setdefault(node.text, []).append(node.span)
    if node.text in scope.unknown_constants:
        return Misread("", node.span, "", meant=scope.unknown_constants[node.text])
    if node.text == AUTO:
        return Misread("wrong-type", node.span, "`auto` is not allowed here: this must be a number", _FOR_AUTO)
    message = f"`{node.text}` is not a number, nor a constant defined above"
    near = scope.nearest(node.text, scope.constants)
    scope.unknown_constants[node.text] = near  # one finding for all uses
    help_line = "write a number" if is_no_constant(node.text, scope) else f"define it above: `let {node.text} = 32`"
    return Misread("unknown-name", node.span, message, help_line, near, node.text)


def is_no_constant(word: str, scope: Scope) -> bool:
    """Return whether no author would define a constant of that name: a word of this language, or a yes or no."""
    return scope.is_reserved(word) or word.lower() in foreign_words.VALUES


def _operation(node: tree.Operation, scope: Scope) -> Quantity | Misread:
    left, right = quantity(node.left, scope), quantity(node.right, scope)
    if isinstance(left, Misread):
        return left
    if isinstance(right, Misread):
        return right
    text = scope.source.slice(node.span)
    if node.space_before_only:
        return _unclear_product(node, scope)
    unit = _dimension(node.operator, left.unit, right.unit)
    if unit is None:
        joined = f"{_DIMENSIONS[left.unit]} {node.operator} {_DIMENSIONS[right.unit]}"
        return Misread(
            "wrong-type", node.span, f"`{text}` is {joined}, which has no meaning", "compute with like units"
        )
    match node.operator:
        case "+":
            result = left.value + right.value
        case "-":
            result = left.value - right.value
        case "*":
            result = left.value * right.value
        case _ if right.value == 0:
            return Misread("out-of-domain", node.span, f"`{text}` is a division by zero")
        case _:
            result = left.value / right.value
    if not _representable(result):
        return Misread("out-of-domain", node.span, f"the result {_BEYOND}")
    if result.numerator.bit_length() + result.denominator.bit_length() > _MOST_BITS:
        message = "the exact result has more than 600 digits"
        return Misread("out-of-domain", node.span, message, "write the intended number, with fewer digits")
    return Quantity(result, unit)


def _unclear_product(node: tree.Operation, scope: Scope) -> Misread:
    """Return why ``8 *3`` is not read as a product: the author may have meant two values."""
    left, right = scope.source.slice(node.left.span), scope.source.slice(node.right.span)
    help_line = f"write `{left}{node.operator}{right}`"
    if node.operator == "*":
        help_line += f"; to repeat a layer write `x{right}`"
    message = f"`{node.operator}{right}` is separated from `{left}`: it may be a product or another value"
    return Misread("unexpected-value", node.span, message, help_line)


def _dimension(operator: str, left: str, right: str) -> str | None:
    """Return the dimension of the result, or None if the operation has no meaning. A share of a number is a number."""
    match operator:
        case "+" | "-":
            return left if left == right else None
        case "*" if left == right:
            return None if left == "s" else left
        case "*":
            return "s" if "s" in (left, right) else ""
        case _ if left == right:
            return ""
        case _:
            return None if right == "s" else left


def _representable(value: Fraction) -> bool:
    """Return whether ``value`` can be represented in 64-bit floating point."""
    return not value or Fraction(1, 10**LARGEST_EXPONENT) <= abs(value) <= 10**LARGEST_EXPONENT
