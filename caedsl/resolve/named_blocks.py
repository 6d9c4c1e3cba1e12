"""``block NAME width k=3 { layers }``: a group of layers with parameters, and the arguments of its uses."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction

from caedsl.diagnostics.finding import Label
from caedsl.resolve.reading.quantities import Misread, quantity, report_misread
from caedsl.resolve.reading.respelling import ARGUMENT, replacing
from caedsl.resolve.scope import Constant, NamedBlock, Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written


def define_block(statement: tree.Statement, scope: Scope) -> None:
    """Add the block of a ``block`` statement to the scope; report mistakes before its braces."""
    if not statement.items or not isinstance(statement.items[0], tree.WrittenWord):
        scope.knows_blocks = False
        if not statement.broken and statement.block is not None:
            first = next(iter(statement.block), None)
            inside = "" if first is None or first.block is None else scope.source.slice(first.span)
            difference = next((item for item in statement.items[:1] if isinstance(item, tree.Operation)), None)
            hyphened = "" if difference is None else scope.source.slice(difference.span).replace("-", "_")
            help_line = f"write `block {inside or hyphened or 'down width'} {{ ... }}`"
            scope.unknown_blocks.update([first.head.text] if first is not None and inside else [])
            scope.report("missing-value", statement.span, "`block` needs a name", help=help_line)
        return
    name, *rest = statement.items
    assert isinstance(name, tree.WrittenWord)
    if not statement.block:
        if statement.block is not None:
            help_line = f"write `block {name.text} {{ conv 16 relu }}`"
            scope.report("missing-block", statement.span, f"the block `{name.text}` has no layers", help=help_line)
        scope.unknown_blocks.add(name.text)
        return
    if name.text in scope.blocks:
        scope.report(
            "duplicate-statement",
            name.span,
            f"the block `{name.text}` is defined twice",
            related=(Label(scope.blocks[name.text].at, "first here"),),
            help="give one of them another name",
        )
        return
    _refuse_reserved(name, scope)
    parameters, written = _parameters(rest, name, scope)
    scope.blocks[name.text] = NamedBlock(name.text, parameters, written, statement, len(scope.blocks))


def _parameters(
    items: Sequence[tree.Item], name: tree.WrittenWord, scope: Scope
) -> tuple[tuple[Option, ...], dict[str, tree.WrittenWord | tree.WrittenOption]]:
    """Return the parameters of the block ``name``, and the item that declares each; report all other items."""
    parameters: dict[str, Option] = {}
    written: dict[str, tree.WrittenWord | tree.WrittenOption] = {}
    unreadable = False
    for item in (_without_parentheses(item, name, scope) for item in _with_equals(items, scope)):
        if not isinstance(item, tree.WrittenWord | tree.WrittenOption) and unreadable:
            continue  # the second of two marks around a parameter
        parameter = _parameter(item, not parameters, scope)
        unreadable |= parameter is None
        if parameter is None:
            continue
        assert isinstance(item, tree.WrittenWord | tree.WrittenOption)
        if parameter.name in parameters:
            message = f"the block `{name.text}` has two parameters `{parameter.name}`"
            first = Label(written[parameter.name].span, "first here")
            scope.report("duplicate-option", item.span, message, related=(first,), help="give one of them another name")
            continue
        parameters[parameter.name] = parameter
        written[parameter.name] = item
    return tuple(parameters.values()), written


def _with_equals(items: Sequence[tree.Item], scope: Scope) -> Iterator[tree.Item]:
    """Yield the items with ``k 4`` as the parameter with a default that it means, after a finding."""
    place = 0
    while place < len(items):
        item, place = items[place], place + 1
        value = items[place] if place < len(items) else None
        if isinstance(item, tree.WrittenWord) and isinstance(value, tree.Number):
            span, place = item.span.to(value.span), place + 1
            written = f"{item.text}={scope.source.slice(value.span)}"
            message = f"the default of `{item.text}` follows `=`"
            fix = replacing(span, written)
            scope.report("unexpected-value", span, message, help=f"write `{written}`", fix=fix)
            yield tree.WrittenOption(item, value, span)
        else:
            yield item


def _without_parentheses(item: tree.Item, name: tree.WrittenWord, scope: Scope) -> tree.Item:
    """Return the parameter of ``block down(width)``, with a finding; any other item as it stands."""
    if not isinstance(item, tree.Parenthesised) or not isinstance(item.value, tree.WrittenWord):
        return item
    parameter = item.value
    message = f"`({parameter.text})`: parameters follow the name of a block without parentheses"
    help_line = f"write `block {name.text} {parameter.text} {{ ... }}`"
    fix = replacing(item.span, f" {parameter.text}" if item.span.start == name.span.end else parameter.text)
    scope.report("unexpected-value", item.span, message, help=help_line, fix=fix)
    return parameter


def _parameter(item: tree.Item, is_first: bool, scope: Scope) -> Option | None:
    """Return a parameter: a word that each use must set, or ``name=number`` with a default."""
    name = item.name if isinstance(item, tree.WrittenOption) else item
    if not isinstance(name, tree.WrittenWord):
        text = scope.source.slice(item.span)
        help_line = "write parameters as `width`, or with a default as `k=3`"
        scope.report("unexpected-value", item.span, f"`{text}` is not a parameter of a block", help=help_line)
        return None
    _refuse_reserved(name, scope)
    short = name.text if len(name.text) == 1 else ""
    if not isinstance(item, tree.WrittenOption):
        written = Written.FIRST if is_first else Written.NAMED
        return Option(name.text, Type.NUMBER, REQUIRED, ARGUMENT, written, short=short)
    default = quantity(item.value, scope)
    if isinstance(default, Misread):
        report_misread(default._replace(help=f"write a number, or `{name.text}` alone for no default"), scope)
        written = Written.FIRST if is_first else Written.NAMED
        return Option(name.text, Type.NUMBER, REQUIRED, ARGUMENT, written, short=short)
    return Option(name.text, Type.NUMBER, float(default.value), ARGUMENT, short=short)


def _refuse_reserved(name: tree.WrittenWord, scope: Scope) -> None:
    if scope.is_reserved(name.text):
        message = f"`{name.text}` is a word of the language, so it cannot be another name"
        help_line = f"choose another name, such as `my_{name.text}`"
        scope.report("reserved-name", name.span, message, help=help_line)


@contextmanager
def arguments(block: NamedBlock, values: Mapping[str, float], use: Span, scope: Scope) -> Iterator[None]:
    """Define the parameters of ``block`` as ``values``, and make only the blocks above it visible."""
    constants, used, visible = scope.constants, scope.used, scope.visible_blocks
    own = {name: Constant(Fraction(repr(value)), "", block.place(name), block.at) for name, value in values.items()}
    scope.constants, scope.used, scope.visible_blocks = constants | own, set(), block.order
    scope.uses.append(use)
    try:
        yield
    finally:
        scope.unused_parameters.update((block.name, name) for name in own if name not in scope.used)
        scope.constants, scope.used, scope.visible_blocks = constants, used | (scope.used - own.keys()), visible
        scope.uses.pop()
