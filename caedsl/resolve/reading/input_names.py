"""``as NAME`` on a line of its own: the first line of a block, which names what the block is given."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.layers.input_name import InputName

_AS = InputName.name


def with_names_in_place(statements: Sequence[tree.Statement], scope: Scope) -> Iterator[tree.Statement]:
    """Yield the statements of a block; a line ``as x`` that is not its first is put on the line before, and reported.

    So is one that is the only line, which names what nothing reads.
    """
    before: tree.Statement | None = None
    for statement in statements:
        if statement.head.text != _AS:
            if before is not None:
                yield before
            before = statement
        elif before is not None:
            before = _named(before, statement, scope)
        elif len(statements) == 1 and not statement.broken:
            written = scope.source.slice(statement.span)
            message = f"`{written}` names what this block is given, but no line follows"
            scope.report("misplaced-statement", statement.span, message, help="write layers below it, or remove it")
        else:
            before = statement
    if before is not None:
        yield before


def _named(before: tree.Statement, statement: tree.Statement, scope: Scope) -> tree.Statement:
    """Return the line before ``statement`` with the name that it gives, after a finding."""
    if statement.broken or before.broken:
        return before
    head = before.items[-1].span.end if before.items else before.head.span.end
    line, written = (scope.source.slice(span) for span in (Span(before.span.start, head), statement.span))
    own = [item for item in before.items if isinstance(item, tree.WrittenWord) and item.text == _AS]
    message = f"`{written}` on a line of its own names the input of a block, so it must be the first line there"
    if own or before.head.text == _AS:
        scope.output_names.update(item.text for item in statement.items if isinstance(item, tree.WrittenWord))
        help_line = "the line above has a name already: read that, and remove this line"
        scope.report("misplaced-statement", statement.span, message, help=help_line)
        return before
    block = "" if before.block is None else " { ... }"
    text = f"{line} {written}{block}"
    edits = (Edit(Span(head, head), f" {written}"), removal(scope.source.text, statement.span))
    fix = Fix("name the line above", edits, Applicability.SAFE)
    scope.report("misplaced-statement", statement.span, message, help=f"write `{text}`", fix=fix)
    return replace(before, items=(*before.items, replace(statement.head), *statement.items))
