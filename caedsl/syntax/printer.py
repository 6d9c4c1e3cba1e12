"""Conversion of a tree to text: the canonical layout of a spec without comments."""

from collections.abc import Iterator, Sequence

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
    WrittenOption,
    WrittenWord,
)

INDENT = "  "

_ALIGNED = frozenset({"train", "sweep", "require"})
"""Align the first items of statements in these blocks."""


def print_spec(spec: Spec) -> str:
    """Return the text of ``spec``: one statement per line, blocks indented; parsing it gives an equal tree."""
    return "".join(f"{line}\n" for statement in spec.statements for line in _lines(statement, 0, 0))


def print_head(statement: Statement, width: int = 0) -> str:
    """Return the word of ``statement``, padded to ``width`` if items follow, and its items."""
    if not statement.items:
        return statement.head.text
    if statement.head.text == "allow":
        items = " ".join(map(_hyphenated, statement.items))
    else:
        equals = " = " if statement.head.text == "let" else "="
        items = " ".join(_item(item, equals) for item in statement.items)
    return f"{statement.head.text:{width}} {items}" if width else f"{statement.head.text} {items}"


def head_width(owner: Statement) -> int:
    """Return the width to which the words in the block of ``owner`` are padded, or 0 if they are not aligned."""
    if owner.head.text not in _ALIGNED:
        return 0
    return max((len(statement.head.text) for statement in owner.block or () if statement.items), default=0)


def _lines(statement: Statement, depth: int, width: int) -> Iterator[str]:
    head = INDENT * depth + print_head(statement, width)
    if not statement.block:
        yield head if statement.block is None else f"{head} {{}}"
        return
    yield f"{head} {{"
    yield from _block_lines(statement.block, depth + 1, head_width(statement))
    yield INDENT * depth + "}"


def _block_lines(statements: Sequence[Statement], depth: int, width: int) -> Iterator[str]:
    for statement in statements:
        yield from _lines(statement, depth, width)


def _hyphenated(item: Item) -> str:
    """Return the name of a finding, which the grammar parses as a difference of words."""
    match item:
        case Operation("-", left, right):
            return f"{_hyphenated(left)}-{_hyphenated(right)}"
        case _:
            return _item(item)


def _item(item: Item, equals: str = "=") -> str:
    match item:
        case WrittenWord(text) | Number(text) | ComparisonSign(text):
            return text
        case Size(dims):
            return "x".join(map(str, dims))
        case QuotedText(value):
            return f'"{value}"'
        case WrittenOption(name, value):
            return f"{name.text}{equals}{_item(value)}"
        case Operation("+" | "-" as sign, left, right):
            return f"{_item(left)} {sign} {_item(right)}"
        case Operation(sign, left, right, space_before_only=space_before_only):
            return f"{_item(left)}{' ' if space_before_only else ''}{sign}{_item(right)}"
        case Parenthesised(value):
            return f"({_item(value)})"
        case Negative(value):
            return f"-{_item(value)}"
        case Divisor(value):
            return f"/{_item(value)}"
        case Range(low, high):
            below = _item(low)
            # "5. .." is a range from "5."; "5..." would be one from "5".
            return f"{below} ..{_item(high)}" if below.endswith(".") else f"{below}..{_item(high)}"
