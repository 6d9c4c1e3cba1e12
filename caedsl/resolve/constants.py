"""Reading of ``let``, which names a number."""

import re

from caedsl.diagnostics.finding import Label
from caedsl.resolve.reading.quantities import Misread, quantity, report_misread, report_space, with_units
from caedsl.resolve.scope import Constant, Scope
from caedsl.syntax import tree

_NAME = re.compile(r"(?:\s|#[^\n]*\n)+([A-Za-z_]\w*)")
"""Match the name after `let`, which a misplaced line end may precede."""
_SECOND_NAME = re.compile(r",[ \t]*([A-Za-z_]\w*)[ \t]*=")
"""Match the second name in `let width = 8, depth = 2`."""


def read_let(statement: tree.Statement, scope: Scope) -> None:
    """Read ``let width = 32``."""
    if statement.broken:
        line = scope.source.text[statement.span.end :].partition("\n")[0]
        scope.unknown_constants.update(dict.fromkeys(_SECOND_NAME.findall(line)))
    match with_units(statement.items, scope):
        case (tree.WrittenOption() as option,):
            _define(statement, option, scope)
        case _:
            names = [item.name if isinstance(item, tree.WrittenOption) else item for item in statement.items]
            names += [line.head for line in statement.block or ()]
            scope.unknown_constants.update({name.text: None for name in names if isinstance(name, tree.WrittenWord)})
            if statement.broken and (cut_off := _NAME.match(scope.source.text, statement.head.span.end)):
                scope.unknown_constants[cut_off[1]] = None
            if not statement.broken:
                help_line = f"write `{_line(statement, scope)}`"
                scope.report("missing-value", statement.span, "`let` defines one constant", help=help_line)


def _line(statement: tree.Statement, scope: Scope) -> str:
    """Return ``let width 8``, ``let width be 8`` and ``let width = 8 pixels`` as the constant that they mean."""
    constants = [item for item in statement.items if isinstance(item, tree.WrittenOption)]
    if constants:
        return "; ".join(f"let {item.name.text} = {scope.source.slice(item.value.span)}" for item in constants)
    numbers = [item for item in statement.items[1:] if isinstance(item, tree.Number | tree.Negative | tree.Operation)]
    value = scope.source.slice(numbers[0].span) if numbers else "32"
    return f"let {name_or(statement, scope, 'width')} = {value}"


def _define(statement: tree.Statement, option: tree.WrittenOption, scope: Scope) -> None:
    name = option.name.text
    before, scope.used = scope.used, set()
    value = quantity(option.value, scope)
    uses, scope.used = frozenset(scope.used), before
    if name in scope.constants or isinstance(value, Misread):
        scope.used |= uses  # of a line that must be corrected first
    if name in scope.constants:
        scope.report(
            "duplicate-statement",
            option.name.span,
            f"the constant `{name}` is defined twice",
            related=(Label(scope.constants[name].span, "first here"),),
            help="give one of them another name",
        )
        return
    if scope.is_reserved(name):
        scope.report(
            "reserved-name",
            option.name.span,
            f"`{name}` is a word of the language, so it cannot name a constant",
            help=f"choose another name, such as `my_{name}`",
        )
    if isinstance(value, Misread):
        scope.unknown_constants[name] = None
        help_line = value.help or "a constant is one number: write this value where it is used"
        report_misread(value if value.meant else value._replace(help=help_line), scope)
    else:
        report_space(option.value, scope)
        scope.constants[name] = Constant(value.value, value.unit, option.name.span, statement.span, uses)


def name_or(statement: tree.Statement, scope: Scope, example: str) -> str:
    """Return the name that the statement starts with, or an example."""
    match statement.items:
        case (tree.WrittenWord() | tree.Operation() as name, *_):
            return "".join(scope.source.slice(name.span).split())
        case _:
            return example
