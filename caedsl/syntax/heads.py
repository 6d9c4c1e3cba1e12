"""Reading of the words and items of one statement, or of as many as can be parsed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lark import Token

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit
from caedsl.source import Span
from caedsl.syntax.lalr import Automaton
from caedsl.syntax.limits import MAX_DEPTH, MAX_OPERATORS
from caedsl.syntax.tokens import ATOM_ENDS, CLOSE, END, NAME, OPEN, OPERATORS, span_of
from caedsl.syntax.tree import Statement

_MOST_EDITS = 100  # a longer statement is not a typo
_LONGEST_JOINED = 100  # tokens to search for the parenthesis that closes on a later line
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
_CONTINUING = OPERATORS | {"EQUAL"}


class Fault(NamedTuple):
    """Position where a statement stops making sense: ``tokens[place]``, or the end if ``place`` is their number."""

    text: str
    tokens: Sequence[Token]
    place: int

    @property
    def found(self) -> Token | None:
        """Token that does not fit, or None at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    @property
    def before(self) -> Token | None:
        """Last token that fits."""
        return self.tokens[self.place - 1] if self.place else None

    @property
    def span(self) -> Span:
        """Span of the whole statement."""
        return span_of(self.tokens[0]).to(span_of(self.tokens[-1]))

    @property
    def opens_block(self) -> bool:
        """Whether a block follows the statement on its line."""
        return self.text[self.span.end :].lstrip(" \t").startswith("{")

    @property
    def parenthesis(self) -> Token | None:
        """Innermost parenthesis that is open at the fault."""
        still_open: list[Token] = []
        for token in self.tokens[: self.place]:
            if token == "(":
                still_open.append(token)
            elif token == ")" and still_open:
                still_open.pop()
        return still_open[-1] if still_open else None


def read_head(text: str, tokens: Sequence[Token], automaton: Automaton) -> tuple[Statement | None, Fault | None]:
    """Return the statement in ``tokens`` without its block, or with a fault the complete items before it."""
    line_end = next((place for place, token in enumerate(tokens) if token.type == END), len(tokens))
    limit = min(_first_beyond_limits(tokens), line_end)
    statement, place = automaton.parse_statement(tokens[:limit])
    if statement is not None and limit == len(tokens):
        return statement, None
    fault = Fault(text, tokens, place)
    kept, _ = automaton.parse_statement(tokens[: _whole_items(tokens, place)])
    return (replace(kept, broken=True) if kept is not None else None), fault


def statement_end(tokens: Sequence[Token], place: int) -> int:
    """Return the index after the statement at ``place``.

    The statement continues past its line if a later line closes its bracket, or if the next line begins with what this
    line lacks: the value after `=`, a term after `+`, or the constant that `let` names.
    """
    end = _end_of_line(tokens, place)
    while _continues(tokens, place, end):
        end = _end_of_line(tokens, end + 1)
    return end


def _continues(tokens: Sequence[Token], place: int, end: int) -> bool:
    """Return whether the statement from ``place`` to the line end ``tokens[end]`` lacks what the next one has."""
    if end + 1 >= len(tokens) or tokens[end].type != END or "\n" not in tokens[end]:
        return False
    first, last, following = tokens[place], tokens[end - 1], tokens[end + 1]
    if following.type in (OPEN, CLOSE, END):
        return False
    if last == "=":
        after = tokens[end + 2].type if end + 2 < len(tokens) else END
        return following.type != NAME or after == END
    if last.type in OPERATORS or following == "=":
        return first != "data"  # whose paths end with such characters
    if following.type in OPERATORS - {"MINUS"}:  # on every line, they are the marks of a list
        return first.type not in OPERATORS
    return end == place + 1 and last == "let" and tokens[end + 2 : end + 3] == ["="]


def _end_of_line(tokens: Sequence[Token], place: int) -> int:
    depth = 0
    joined_from: int | None = None
    for index in range(place, len(tokens)):
        token = tokens[index]
        if token.type in (OPEN, CLOSE) or (joined_from is not None and index - joined_from > _LONGEST_JOINED):
            return index if joined_from is None else joined_from
        if token.type == END:
            if depth <= 0:
                return index
            joined_from = index if joined_from is None else joined_from
        elif token.value in _BRACKETS:
            depth += _BRACKETS[token.value]
            if depth <= 0:
                joined_from = None
    return len(tokens) if joined_from is None else joined_from


def is_beyond_limits(fault: Fault) -> bool:
    """Return whether the only fault is the depth of the expression."""
    return fault.place == _first_beyond_limits(fault.tokens) < len(fault.tokens)


def cured(fault: Fault, edits: Sequence[Edit], automaton: Automaton) -> tuple[str, Statement | None] | None:
    """Return the statement's text after ``edits`` and its tree with the old positions, if that can be parsed.

    The tree is None if only a comment or nothing remains.
    """
    span = fault.span
    inside = all(span.start <= edit.span.start <= edit.span.end <= span.end for edit in edits)
    if not inside or len(edits) > _MOST_EDITS:
        return None
    relative = [Edit(Span(e.span.start - span.start, e.span.end - span.start), e.text) for e in edits]
    text = apply_edits(fault.text[span.start : span.end], relative)
    tokens = automaton.tokens(text)
    if tokens and tokens[0].type == END:
        del tokens[0]
    if any(token.type in (OPEN, CLOSE, END) for token in tokens):
        return None
    for token in tokens:
        start, end = span_of(token)
        token.start_pos = span.start + _before_edits(start, relative, is_end=False)
        token.end_pos = span.start + _before_edits(end, relative, is_end=True)
    if not tokens:
        return text, None
    statement, remaining_fault = read_head(text, tokens, automaton)
    return None if remaining_fault else (text, statement)


def _before_edits(offset: int, edits: Sequence[Edit], is_end: bool) -> int:
    """Return the position of ``offset`` before the edits; inside an edit, a border of the replaced text."""
    shift = 0
    for span, text in edits:
        start = span.start + shift
        if offset < start or (is_end and offset == start):
            break
        if offset < start + len(text) or (is_end and offset == start + len(text)):
            return span.end if is_end else span.start
        shift += len(text) - (span.end - span.start)
    return offset - shift


def _first_beyond_limits(tokens: Sequence[Token]) -> int:
    depth = operators = 0
    for index, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        operators += token.type in OPERATORS
        if depth > MAX_DEPTH or operators > MAX_OPERATORS:
            return index
    return len(tokens)


def _whole_items(tokens: Sequence[Token], index: int) -> int:
    """Return how many of the tokens before ``index``, all of which fit, form complete items."""
    depth = whole = 0
    for place, token in enumerate(tokens[:index]):
        depth += (token == "(") - (token == ")")
        following = tokens[place + 1] if place + 1 < index else None
        continues = following is not None and (following.type in _CONTINUING or following == "..")
        if depth == 0 and token.type in ATOM_ENDS and not continues:
            whole = place + 1
    return whole
