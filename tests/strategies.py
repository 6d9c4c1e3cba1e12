"""Syntax trees of every form that the grammar allows, and layouts in which an author might write them."""

import re

from hypothesis import strategies as st

from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.printer import print_head

NOWHERE = Span(0, 0)

_KEYWORDS = [
    "autoencoder",
    "let",
    "train",
    "require",
    "encoder",
    "conv",
    "stage",
    "relu",
    "k3",
    "k3x3",
    "s2x2",
    "k",
    "e1",
]
_UNITS = ["", "", "", "k", "M", "%", "min", "e", "E", "_x", "x3a"]
_COMMENTS = ["#", "# fmt: off", "# fmt: on", '# "', "# a; b }", "#{", "#  tab\t ", "# é × “"]

# Alphabets are explicit, because classes of characters make Hypothesis build its Unicode table for seconds.
names = st.sampled_from(_KEYWORDS) | st.builds(
    "{}{}".format, st.sampled_from("akxEZ_"), st.text("akxEZ_0123", max_size=5)
)
_number_texts = st.builds(
    "{}{}{}".format,
    st.sampled_from(["0", "1", "32", "007", "5.", "0.25", ".5", "10.0"]) | st.integers(0, 9999).map(str),
    st.sampled_from(["", "", "e3", "E-3", "e+10"]),
    st.sampled_from(_UNITS),
).filter(lambda text: not re.fullmatch(r"[0-9]+(x[0-9]+)+", text))

words = st.builds(tree.WrittenWord, names, st.just(NOWHERE))
numbers = st.builds(tree.Number, _number_texts, st.just(NOWHERE))
sizes = st.builds(tree.Size, st.lists(st.integers(0, 4096), min_size=2, max_size=4).map(tuple), st.just(NOWHERE))
texts = st.builds(tree.QuotedText, st.text("ab1 /\\.#;{}()=é×“\t\u2028", max_size=6), st.just(NOWHERE))


_plain_atoms = words | numbers | sizes | texts
signs = st.builds(tree.ComparisonSign, st.sampled_from(["<", "<=", ">", ">="]), st.just(NOWHERE))


def _starts_with_text(value: tree.Value) -> bool:
    """Return whether a minus before ``value`` would be binary; only words and numbers can have a sign."""
    return _starts_with_text(value.left) if isinstance(value, tree.Operation) else isinstance(value, tree.QuotedText)


@st.composite
def _atoms(draw: st.DrawFn, depth: int) -> tree.Value:
    if depth and draw(st.integers(0, 4)) == 0:
        return tree.Parenthesised(draw(sums(depth - 1)), NOWHERE)
    return draw(_plain_atoms)


@st.composite
def _products(draw: st.DrawFn, depth: int) -> tree.Value:
    product = draw(_atoms(depth))
    for operator in draw(st.sampled_from(["", "", "", "*", "/", "*/"])):
        product = tree.Operation(operator, product, draw(_atoms(depth)), NOWHERE)
    return product


@st.composite
def sums(draw: st.DrawFn, depth: int = 2) -> tree.Value:
    """Return a value without a range, as allowed in parentheses."""
    total = draw(_products(depth))
    if draw(st.integers(0, 3)) == 0 and not _starts_with_text(total):
        total = tree.Negative(total, NOWHERE)
    for operator in draw(st.sampled_from(["", "", "", "+", "-", "+-"])):
        total = tree.Operation(operator, total, draw(_products(depth)), NOWHERE)
    return total


@st.composite
def values(draw: st.DrawFn) -> tree.Value:
    """Return a sum, or a range of two."""
    low = draw(sums())
    return tree.Range(low, draw(sums()), NOWHERE) if draw(st.integers(0, 3)) == 0 else low


@st.composite
def items(draw: st.DrawFn) -> tree.Item:
    """Return an item that may follow a statement's word."""
    match draw(st.sampled_from(["word", "number", "value", "option", "option", "share", "sign"])):
        case "word":
            return draw(words)
        case "number":
            return draw(numbers)
        case "value":
            return draw(values())
        case "option":
            return tree.WrittenOption(draw(words), draw(values()), NOWHERE)
        case "share":
            return tree.WrittenOption(draw(words), tree.Divisor(draw(_atoms(1)), NOWHERE), NOWHERE)
        case _:
            return draw(signs)


@st.composite
def statements(draw: st.DrawFn, depth: int = 2) -> tree.Statement:
    """Return a statement, perhaps with a block."""
    block = None
    if draw(st.integers(0, 3)) == 0:
        block = tuple(draw(st.lists(statements(depth - 1), max_size=3))) if depth else ()
    return tree.Statement(draw(words), tuple(draw(st.lists(items(), max_size=3))), block, NOWHERE)


def specs() -> st.SearchStrategy[tree.Spec]:
    """Return a strategy for any tree that a text can have; its words are arbitrary, so most are not autoencoders."""
    return st.lists(statements(), max_size=3).map(lambda found: tree.Spec(tuple(found)))


_spaces = st.sampled_from(["", " ", "  ", "\t", " \t "])
comments = st.sampled_from(_COMMENTS) | st.text('ab1 #;{}"=é×“\t\x0c\u2028', max_size=6).map(lambda text: f"#{text}")


@st.composite
def layouts(draw: st.DrawFn, spec: tree.Spec) -> tuple[str, list[str]]:
    """Return a text of ``spec`` in some layout, and the comments it has, without the spaces at their ends."""
    writer = _Writer(draw)
    writer.body(spec.statements, at_top=True)
    return "".join(writer.pieces), writer.comments


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.pieces: list[str] = []
        self.comments: list[str] = []
        self.line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))

    def body(self, statements: tuple[tree.Statement, ...], at_top: bool) -> None:
        self.separator(needed=False)
        for place, statement in enumerate(statements):
            if place:
                self.separator(needed=True)
            self.statement(statement)
        self.separator(needed=False)
        if at_top and self.draw(st.booleans()):
            self.comment()

    def statement(self, statement: tree.Statement) -> None:
        self.pieces.append(statement.head.text)
        for item in statement.items:
            self.pieces += [" ", self.space(), self.item(item)]
        if statement.block is not None:
            self.pieces += [self.space(), "{", self.space()]
            self.body(statement.block, at_top=False)
            self.pieces += [self.space(), "}"]

    def item(self, item: tree.Item) -> str:
        if isinstance(item, tree.WrittenOption):
            return f"{item.name.text}{self.space()}={self.space()}{self.item(item.value)}"
        alone = tree.Statement(tree.WrittenWord("x", NOWHERE), (item,), None, NOWHERE)
        text = print_head(alone).removeprefix("x ")
        # "1e + 3" is a sum of a number with a unit, "1e+3" is a number.
        tight = '"' not in text and "e" not in text.lower() and self.draw(st.booleans())
        return text.replace(" + ", "+") if tight else text

    def separator(self, needed: bool) -> None:
        count = self.draw(st.sampled_from([1, 1, 1, 2, 3, 4])) if needed else self.draw(st.integers(0, 3))
        for _ in range(count):
            self.pieces.append(self.space())
            kind = self.draw(st.sampled_from(["line", "line", ";", "comment"]))
            if kind == "comment":
                self.comment()
            self.pieces.append(";" if kind == ";" else self.line_end)
        self.pieces.append(self.space())

    def comment(self) -> None:
        comment = self.draw(comments)
        self.pieces.append(comment)
        self.comments.append(comment.rstrip(" \t"))

    def space(self) -> str:
        return self.draw(_spaces)
