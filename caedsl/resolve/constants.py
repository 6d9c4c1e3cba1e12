"""Reading of ``let``, which names a number."""

import re

from caedsl.diagnostics.finding import Label
from caedsl.resolve.reading.quantities import Misread, quantity, report_misread, report_space, with_units
from caedsl.resolve.scope import Constant, Scope
from caedsl.syntax import tree

_NAME = re.compile(r"[ \t]+([A-Za-z_]\w*)")


def read_let(statement: tree.Statement, scope: Scope) -> None:
    """Read ``let width = 32``."""
    match with_units(statement.items, scope):
        case (tree.WrittenOption() as option,):
            _define(statement, option, scope)
        case _:
            names = (item.name if isinstance(item, tree.WrittenOption) else item for item in statement.items[:1])
            scope.unknown_constants.update({name.text: None for name in names if isinstance(name, tree.WrittenWord)})
            if statement.broken and (cut_off := _NAME.match(scope.source.text, statement.head.span.end)):
                scope.unknown_constants[cut_off[1]] = None
            if not statement.broken:
                name = name_or(statement, scope, "width")
                value = scope.source.slice(statement.items[1].span) if len(statement.items) == 2 else "32"
                help_line = f"write `let {name} = {value}`"
                scope.report("missing-value", statement.span, "`let` defines one constant", help=help_line)


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
