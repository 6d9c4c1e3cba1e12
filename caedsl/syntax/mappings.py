"""Blocks that are mappings of other languages: ``conv {filters: 8}`` and ``{conv: 8}``."""

from collections.abc import Sequence
from typing import NamedTuple

from lark import Token

from caedsl.diagnostics.finding import Finding
from caedsl.source import Source
from caedsl.syntax.errors import calls as call_messages
from caedsl.syntax.tokens import CLOSE, END, NAME, OPEN, span_of
from caedsl.syntax.tree import Statement, WrittenWord


class BraceMapping(NamedTuple):
    """Statement with a mapping, the finding about it, and the index of the token after it."""

    statement: Statement
    finding: Finding
    end: int


def read_mapping(source: Source, tokens: Sequence[Token], place: int, owner: Statement | None) -> BraceMapping | None:
    """Return the mapping whose brace is ``tokens[place]``, after the statement ``owner``, or None for another block."""
    end = place + 1
    while end < len(tokens) and tokens[end].type not in (OPEN, CLOSE, END):
        end += 1
    if end == len(tokens) or tokens[end].type != CLOSE or end < place + 3:
        return None
    key, sign = tokens[place + 1 : place + 3]
    start = owner.head.span if owner is not None else span_of(tokens[place])
    values = [source.slice(item.span) for item in owner.items] if owner is not None else []
    values.append(source.text[span_of(tokens[place]).end : span_of(tokens[end]).start])
    word = owner.head.text if owner is not None else str(key)
    span = start.to(span_of(tokens[end]))
    is_mapping = key.type == NAME and (sign == ":" or (sign == "=" and owner is not None))
    finding = call_messages.mapping(word, ", ".join(values), span) if is_mapping else None
    if finding is None:
        return None
    return BraceMapping(Statement(WrittenWord(word, start), (), None, span, broken=True), finding, end + 1)
