"""Canonical spelling of words, numbers and options that can be written in several ways."""

import re
from dataclasses import replace

from caedsl.syntax.tree import (
    ComparisonSign,
    Divisor,
    Item,
    Negative,
    Number,
    Operation,
    Parenthesised,
    QuotedText,
    Range,
    Size,
    Spec,
    Statement,
    Value,
    WrittenOption,
    WrittenWord,
)

_SQUARE = re.compile(r"([ksd])([0-9]+)x\2")
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_EXPONENT = re.compile(r"\A([0-9.]+)E(?=[+-]?[0-9])")
_BARE_POINT = re.compile(r"\A([0-9]+)\.(?![0-9])")
_GLUED_SIZE = re.compile(r"[0-9]+(x[0-9]+)+")
"""Match ``1x28`` parsed as a number with a unit, as it is if a point follows directly (``1x28.5``)."""

_SHORT = frozenset("ksdg")

_NAMING = frozenset({"autoencoder", "let", "stage", "block", "allow"})
"""Statements whose words are names of constants or findings, in which ``k3x3`` is not a kernel."""


def canonical_spec(spec: Spec) -> Spec:
    """Return ``spec`` with every item in its canonical spelling."""
    return replace(spec, statements=tuple(map(_statement, spec.statements)))


def _statement(statement: Statement) -> Statement:
    items = tuple(_item(item, statement.head.text in _NAMING) for item in statement.items)
    block = None if statement.block is None else tuple(map(_statement, statement.block))
    return replace(statement, items=items, block=block)


def _item(item: Item, naming: bool) -> Item:
    match item:
        case WrittenWord(text, span) if not naming:
            return WrittenWord(_SQUARE.sub(r"\1\2", text) if _SQUARE.fullmatch(text) else text, span)
        case WrittenOption(name, Number(text), span) if not naming and name.text in _SHORT and _INTEGER.fullmatch(text):
            return WrittenWord(name.text + text, span)
        case WrittenOption(name, value, span):
            return WrittenOption(name, _value(value), span)
        case ComparisonSign():
            return item
        case _:
            return _value(item)


def _value(value: Value) -> Value:
    match value:
        case Number(text) if text.isdecimal():
            return value
        case Number(text, span) if _GLUED_SIZE.fullmatch(text):
            return Size(tuple(map(int, text.split("x"))), span)
        case Number(text, span):
            return Number(_number(text), span)
        case Operation(operator, left, right, span, space_before_only):
            return Operation(operator, _value(left), _value(right), span, space_before_only)
        case Range(low, high, span):
            return Range(_value(low), _value(high), span)
        case Parenthesised(inner, span):
            return Parenthesised(_value(inner), span)
        case Negative(inner, span):
            return Negative(_value(inner), span)
        case Divisor(inner, span):
            return Divisor(_value(inner), span)
        case WrittenWord() | Size() | QuotedText():
            return value


def _number(text: str) -> str:
    """Return ``1E-3`` as ``1e-3``, ``.5`` as ``0.5`` and ``5.`` as ``5.0``; units do not change."""
    text = _BARE_POINT.sub(r"\1.0", _EXPONENT.sub(r"\1e", text))
    return f"0{text}" if text.startswith(".") else text
