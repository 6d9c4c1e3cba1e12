"""Statements that share a line without a ``;``, and statements that continue on the next line."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree

Starts = Callable[[str, tree.Statement, bool], bool]
"""Return whether a word on the line of a statement starts another one; the flag says that something follows it."""


def apart(
    statements: Iterable[tree.Statement], words: Container[str], starts: Starts, scope: Scope
) -> Iterator[tree.Statement]:
    """Yield the statements, each with a line of its own; report those that share one without a ``;``.

    ``words`` are those for which ``starts`` may return True.
    """
    for statement in statements:
        if not any(type(item) is tree.WrittenWord and item.text in words for item in statement.items):
            yield statement
            continue
        rest, gaps, heads = statement, list[Span](), list[tree.WrittenWord]()
        while (place := _next_start(rest, starts)) is not None:
            first, word, others = rest.items[:place], rest.items[place], rest.items[place + 1 :]
            assert isinstance(word, tree.WrittenWord)
            gaps.append(Span(first[-1].span.end if first else rest.head.span.end, word.span.start))
            yield replace(rest, items=first, block=None, span=Span(rest.span.start, gaps[-1].start), broken=True)
            rest = replace(rest, head=word, items=others, span=word.span.to(rest.span))
            heads.append(word)
        if heads:
            _report(heads[0], gaps, scope)
        yield rest


def _next_start(statement: tree.Statement, starts: Starts) -> int | None:
    """Return the index of the first item that starts another statement."""
    last = len(statement.items) - 1
    return next(
        (
            place
            for place, item in enumerate(statement.items)
            if isinstance(item, tree.WrittenWord)
            and starts(item.text, statement, place < last or statement.block is not None)
            and (place or statement.head.text == "bottleneck")
        ),
        None,
    )


def _report(word: tree.WrittenWord, gaps: Sequence[Span], scope: Scope) -> None:
    fix = Fix("write `;` between them", tuple(Edit(gap, "; ") for gap in gaps), Applicability.SAFE)
    message, help_line = f"`{word.text}` starts a line of its own", f"write a new line or `;` before `{word.text}`"
    scope.report("unexpected-value", word.span, message, help=help_line, fix=fix)


def continued(
    statements: Sequence[tree.Statement], words: Sequence[str], incomplete: Container[str], scope: Scope
) -> Iterator[tree.Statement]:
    """Yield the statements; report those that continue on the next line, such as ``data`` with its source there.

    ``words`` begin statements, and those of ``incomplete`` need a value.
    """
    place = 0
    while place < len(statements):
        statement, place = statements[place], place + 1
        if place < len(statements) and _is_cut(statement, statements[place], incomplete):
            word = statements[place].head.text
            if word not in words and scope.nearest(word, words) is None:
                statement, place = _with_continuation(statement, statements[place], scope), place + 1
        yield statement


def _is_cut(statement: tree.Statement, following: tree.Statement, incomplete: Container[str]) -> bool:
    """Return whether a statement ends where its value should begin, or after ``else``; a name precedes a block."""
    if statement.broken or statement.block is not None:
        return False
    last = statement.items[-1] if statement.items else None
    if statement.head.text == "stage" and len(statement.items) == 1:  # a name of two words, on two lines
        return isinstance(last, tree.WrittenWord) and following.block is not None and not following.items
    if last is None and statement.head.text == "decoder":
        return following.head.text == "mirror"
    if last is None:
        has_block = following.block is not None
        return statement.head.text in incomplete and has_block == (statement.head.text in ("block", "stage"))
    return statement.head.text == "data" and isinstance(last, tree.WrittenWord) and last.text == "else"


def _with_continuation(statement: tree.Statement, following: tree.Statement, scope: Scope) -> tree.Statement:
    """Return both lines as one statement, after a finding."""
    gap = Span(statement.span.end, following.span.start)
    block = "" if following.block is None else " { … }"
    is_name = statement.head.text == "stage" and bool(statement.items)
    between = "_" if is_name else " "
    line = f"{scope.source.slice(statement.span)}{between}{scope.source.slice(following.span)}{block}"
    comment = "#" in scope.source.slice(gap)
    fix = None if comment else Fix("write it on one line", (Edit(gap, between),), Applicability.SAFE)
    lacks = "but the block of `{0}` is not on it" if is_name else "so its value is missing"
    message = f"`{scope.source.slice(statement.span)}` ends with its line, {lacks.format(statement.head.text)}"
    scope.report("missing-value", statement.span, message, help=f"write `{line}`", fix=fix)
    items = statement.items if is_name else (*statement.items, following.head, *following.items)
    span = statement.span.to(following.span)
    return replace(statement, items=items, block=following.block, span=span, broken=True)


def without_doubled_head(owner: str, items: Sequence[tree.Item], scope: Scope) -> Sequence[tree.Item]:
    """Return the items of ``conv conv 8`` without the second word, after a finding; others as they are."""
    word = items[0] if len(items) > 1 else None
    if not isinstance(word, tree.WrittenWord) or word.text != owner.rpartition(" ")[2] or scope.is_constant(word.text):
        return items
    fix = Fix("delete one of them", (removal(scope.source.text, word.span),), Applicability.SAFE)
    scope.report("unexpected-value", word.span, f"`{word.text}` is written twice", help="delete one", fix=fix)
    return items[1:]
