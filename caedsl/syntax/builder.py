"""Construction of the tree while Lark parses: one method per rule of the grammar, called with the rule's children."""

from typing import cast

from lark import Token

from caedsl.source import Span
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


class _TreeBuilder:
    """Methods that Lark calls; there is no ``__default__``, because Lark inlines the rules named ``_…`` itself."""

    def spec(self, children: list[Statement]) -> Spec:
        return Spec(tuple(children))

    def block(self, children: list[Statement]) -> tuple[Statement, ...]:
        return tuple(children)

    def statement(self, children: list[object]) -> Statement:
        head = cast(Statement, children[0])
        if len(children) == 1:
            return head
        return Statement(head.head, head.items, cast(tuple[Statement, ...], children[1]), head.span)

    def head(self, children: list[object]) -> Statement:
        word = self.word(cast(list[Token], children))
        items = cast(tuple[Item, ...], tuple(children[1:]))
        end = items[-1].span.end if items else word.span.end
        return Statement(word, items, None, Span(word.span.start, end))

    def option(self, children: list[object]) -> WrittenOption:
        name = self.word(cast(list[Token], children))
        value = cast(Value, children[1])
        return WrittenOption(name, value, Span(name.span.start, value.span.end))

    def divisor(self, children: list[object]) -> Divisor:
        value = cast(Value, children[1])
        return Divisor(value, Span(_span(children[0]).start, value.span.end))

    def range(self, children: list[Value]) -> Range:
        low, high = children
        return Range(low, high, Span(low.span.start, high.span.end))

    def operation(self, children: list[object]) -> Operation:
        left, right = cast(Value, children[0]), cast(Value, children[2])
        operator = cast(Token, children[1])
        at = _span(operator)
        space_before_only = operator.value in ("*", "/") and left.span.end < at.start and at.end == right.span.start
        return Operation(operator.value, left, right, Span(left.span.start, right.span.end), space_before_only)

    def negative(self, children: list[object]) -> Negative:
        value = cast(Value, children[1])
        return Negative(value, Span(_span(children[0]).start, value.span.end))

    def group(self, children: list[object]) -> Parenthesised:
        return Parenthesised(cast(Value, children[1]), Span(_span(children[0]).start, _span(children[2]).end))

    def sign(self, children: list[Token]) -> ComparisonSign:
        return ComparisonSign(children[0].value, _span(children[0]))

    def word(self, children: list[Token]) -> WrittenWord:
        return WrittenWord(children[0].value, _span(children[0]))

    def number(self, children: list[Token]) -> Number:
        return Number(children[0].value, _span(children[0]))

    def size(self, children: list[Token]) -> Size:
        return Size(tuple(map(int, children[0].value.split("x"))), _span(children[0]))

    def text(self, children: list[Token]) -> QuotedText:
        return QuotedText(children[0].value[1:-1], _span(children[0]))


def _span(token: object) -> Span:
    return Span(token.start_pos, token.end_pos)  # type: ignore[attr-defined]  # a Token, whose places are set


TREE_BUILDER = _TreeBuilder()
