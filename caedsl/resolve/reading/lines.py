"""Reading of layer statements into Lines: names, types and domains, each statement once, without shapes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from caedsl.resolve.named_blocks import arguments
from caedsl.resolve.outputs import AS
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.glued import starts_with_value
from caedsl.resolve.reading.input_names import with_names_in_place
from caedsl.resolve.reading.joined_lines import apart, continued
from caedsl.resolve.reading.layer_names import enlarged_to_size, find_kind, in_one_word, pool_of_everything, with_spaces
from caedsl.resolve.reading.line_options import LineOptions, filled
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.syntax.limits import MAX_DEPTH
from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.initialisations import AUTO, INITIALISATIONS
from caedsl.vocabulary.initialisations import OPTIONS as INITIALISATION_OPTIONS
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.kernel_options import BIAS, BIAS_INIT, INIT
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.input_name import InputName
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import GROUPS, NONE, NORM
from caedsl.vocabulary.option import FROM_ONE, Option, Type, Written

TIMES = Option(
    "times", Type.COUNT, 1, "repeats the line; each copy has its own weights", Written.SHORT, FROM_ONE, short="x", off=1
)

BLOCK = "block"
"""Name in the options of a ``repeat`` Line of the block that it uses."""

MOST_BODIES = 1000
"""Limit the readings of blocks, one per combination of arguments: nested blocks could multiply them."""

SHAPING = (Type.COUNT, Type.PER_AXIS, Type.SIZE, Type.SHAPE, Type.PADDING, Type.SIDES)
"""Types of options that determine a shape: if one cannot be read, no layer after it can be placed."""


@cache
def options_of(kind: Kind) -> tuple[Option, ...]:
    """Return the options of a line with this kind."""
    is_once = kind.block or kind.starts_branch or isinstance(kind, InputName)
    own = kind.options if is_once else (*kind.options, TIMES)
    return (*own, AS) if kind.has_output else own


def read_lines(statements: Sequence[tree.Statement], scope: Scope) -> tuple[Line, ...]:
    """Return the Lines of a block; a statement that cannot be read is reported and becomes a broken Line."""
    scope.depth += 1
    statements = tuple(apart(statements, _LAYERS, _starts_layer, scope)) if scope.depth <= MAX_DEPTH else ()
    statements = tuple(continued(statements, tuple(KINDS), ("stage",), scope))
    statements = tuple(with_names_in_place(statements, scope))
    lines = tuple(_read_line(statement, scope) for statement in statements)
    scope.depth -= 1
    return lines


_LAYERS = frozenset(word for word in KINDS if word not in FUNCTIONS and word != InputName.name)


def _starts_layer(word: str, statement: tree.Statement, followed: bool) -> bool:
    """Return whether ``word`` is a layer, and not an option of the line or the name of its output."""
    kind, own = KINDS.get(word), KINDS.get(statement.head.text)
    if kind is None or word not in _LAYERS or (own is not None and own.block):
        return False
    options = () if own is None else options_of(own)
    named = any(isinstance(item, tree.WrittenWord) and item.text == AS.name for item in statement.items)
    return (followed or not kind.options) and not named and all(option.name != word for option in options)


def _use_block(statement: tree.Statement, scope: Scope) -> Line:
    """Return the lines of a block with the arguments of this use, as a repeat that names the block."""
    block = scope.blocks[statement.head.text]
    scope.used_blocks.add(block.name)
    broken = Line("repeat", at=statement.span, broken=True)
    if scope.visible_blocks is not None and block.order >= scope.visible_blocks:
        scope.report(
            "unknown-layer",
            statement.head.span,
            f"the block `{block.name}` uses itself"
            if block.order == scope.visible_blocks
            else f"the block `{block.name}` cannot be used here: a block can use only the blocks above it",
            help="write the layers themselves, or use `repeat 2 { ... }`",
        )
        return broken
    if scope.depth >= MAX_DEPTH:
        message = f"`{block.name}` is inside more than {MAX_DEPTH} blocks"
        scope.report("nested-too-deeply", statement.span, message, help="nest fewer blocks")
        return broken
    options = (*block.parameters, TIMES, AS)
    bound = bind(block.name, statement.items, options, scope)
    values = filled(bound, options, statement, scope)
    if values is None or bound.failed or bound.lost or statement.block is not None:
        if statement.block is not None:
            message = f"`{block.name}` already has layers and takes no block"
            scope.report("unexpected-block", statement.span, message, help="remove the braces")
        return broken
    times, name = values.pop(TIMES.name), values.pop(AS.name) or ""
    scope.output_names.update([name] if name else [])
    key = block.name, tuple(values.items())
    if key not in scope.block_lines:
        if len(scope.block_lines) >= MOST_BODIES:
            message = f"the spec uses its blocks with more than {MOST_BODIES} different arguments"
            scope.report("too-many-layers", statement.span, message, help="nest fewer blocks")
            return broken
        with arguments(block, values, statement.span, scope):
            scope.block_lines[key] = read_lines(block.body, scope)
    named = {TIMES.name: times, BLOCK: block.name}
    return Line("repeat", named, bound.spans, scope.block_lines[key], statement.span, named=name)


def _read_line(statement: tree.Statement, scope: Scope) -> Line:
    if statement.head.text in scope.blocks and statement.head.text not in KINDS:
        return _use_block(statement, scope)
    statement = in_one_word(statement, scope)
    alone = not statement.items and statement.block is None
    rewritten = pool_of_everything(statement, scope) or enlarged_to_size(statement, scope)
    statement = rewritten or (None if statement.head.text in KINDS else with_spaces(statement, scope)) or statement
    numbered = starts_with_value(statement.items)
    kind = find_kind(statement.head, scope, statement.broken, alone, numbered)
    if kind is None:
        return Line("", at=statement.span, broken=True)
    if statement.head.text != kind.name:  # a missing value is then not a second mistake
        statement = replace(statement, head=tree.WrittenWord(kind.name, statement.head.span), broken=True)
    if _has_number_for_name(statement, kind, scope):
        return Line(kind.name, at=statement.span, broken=True)
    fits = _block_agrees(statement, kind, scope)
    if kind.block and scope.depth >= MAX_DEPTH:
        message = f"`{kind.name}` is inside more than {MAX_DEPTH} blocks"
        scope.report("nested-too-deeply", statement.span, message, help="nest fewer groups")
        return Line(kind.name, at=statement.span, broken=True)
    if kind.block and not fits:
        return Line(kind.name, at=statement.span, broken=True)
    if statement.block is not None and not kind.block:
        statement = replace(statement, broken=True)
    bound, options = _read_options(statement, kind, scope)
    children = read_lines(statement.block or (), scope) if kind.block else ()
    shaping = any(option.name in bound.failed and option.type in SHAPING for option in options_of(kind))
    if options is None or not fits or shaping or bound.lost:
        return Line(kind.name, at=statement.span, broken=True)
    times = 1 if kind.block else options.pop(TIMES.name, 1)
    name = options.pop(AS.name, "") if kind.has_output else options.get(AS.name, "")
    scope.output_names.update([name] if name else [])
    line = Line(
        kind.name, options, bound.spans, children, statement.span, named=name if times == 1 else "", copies=times
    )
    if times == 1:
        return line
    return Line("repeat", {"times": times}, bound.spans, (line,), statement.span, named=name)


def _has_number_for_name(statement: tree.Statement, kind: Kind, scope: Scope) -> bool:
    """Report a number in place of the name of an output, and suggest the kind that takes a number."""
    first = statement.items[0] if statement.items else None
    if not isinstance(kind, Join) or not kind.with_a_number or not isinstance(first, tree.Number):
        return False
    value = scope.source.slice(first.span)
    message = f"`{kind.name}` needs the name of an output, but `{value}` is a number"
    help_line = f"write `{kind.with_a_number} {value}`, or name the layer and write its name here"
    scope.report("wrong-type", first.span, message, help=help_line)
    return True


def _block_agrees(statement: tree.Statement, kind: Kind, scope: Scope) -> bool:
    if kind.block and not statement.block:
        if not statement.broken:
            scope.report(
                "missing-block",
                statement.span,
                f"`{kind.name}` needs layers in braces",
                help=f"write `{_example_with_number(kind, statement, scope)}`",
            )
        return False
    if not kind.block and statement.block is not None:
        scope.report(
            "unexpected-block",
            statement.span,
            f"`{kind.name}` is one layer and takes no block",
            help="remove the braces, or use `stage NAME { ... }` for a group",
        )
    return True


def _example_with_number(kind: Kind, statement: tree.Statement, scope: Scope) -> str:
    """Return an example of a block with the number that the statement starts with, if the kind takes one."""
    first = statement.items[0] if statement.items else None
    takes = any(option.written is Written.FIRST and option.type is Type.COUNT for option in kind.options)
    if not takes or not isinstance(first, tree.Number):
        return kind.example
    return re.sub(r"\d+", scope.source.slice(first.span), kind.example, count=1)


def _read_options(statement: tree.Statement, kind: Kind, scope: Scope) -> tuple[LineOptions, dict[str, Any] | None]:
    """Return the options of a line over the ``defaults`` of its kind, or None if a required one is missing."""
    declared = options_of(kind)
    bound = bind(kind.name, statement.items, declared, scope)
    inherited = scope.inherited(kind.name, bound.values)
    report_idle(kind.name, bound, inherited, scope)
    given = {**inherited, **bound.values}
    if filled(replace(bound, values=given) if inherited else bound, declared, statement, scope) is None:
        return bound, None
    return bound, given


class _Idle(NamedTuple):
    """Option without effect on its line, why, and what to do."""

    option: str
    message: str
    help: str


def report_idle(kind: str, bound: LineOptions, inherited: Mapping[str, Any], scope: Scope) -> None:
    """Report options of a normalisation or an initialisation that the line does not have; record the defaults taken."""
    idle = tuple(_idle({**inherited, **bound.values}, bound))
    for option, message, help_line in idle:
        if option in bound.spans:
            scope.report("option-without-effect", bound.spans[option], message, help=help_line)
    scope.take_defaults(kind, inherited, {option: help_line for option, _, help_line in idle})


def _idle(given: Mapping[str, Any], bound: LineOptions) -> Iterator[_Idle]:
    """Yield the options without effect of those that the line sets, itself or by its defaults, readable or not."""
    written = given.keys() | bound.spans.keys()
    for own in INITIALISATION_OPTIONS if INIT.name not in bound.failed else ():
        if own.name not in written:
            continue
        owners = [name for name, start in INITIALISATIONS.items() if own in start.own]
        if given.get(INIT.name, AUTO) not in owners:
            yield _Idle(
                own.name,
                f"`{own.name}=` has no effect on this line: it belongs to "
                + " and ".join(f"`init={name}`" for name in owners),
                f"add `init={owners[0]}`, or remove `{own.name}=`",
            )
    norm = given.get(NORM.name, NONE)
    bias = given.get(BIAS.name, norm == NONE)
    if BIAS_INIT.name in written and not bias and not {NORM.name, BIAS.name} & bound.failed:
        message = f"`{BIAS_INIT.name}=` has no effect on this line, which has no bias"
        yield _Idle(BIAS_INIT.name, message, f"add `bias=on`, or remove `{BIAS_INIT.name}=`")
    for option, owner in normalisation.BELONGS_TO.items() if NORM.name not in bound.failed else ():
        if option in written and not normalisation.has(norm, option):
            yield _Idle(
                option,
                f"`{option}=` has no effect on this line: it belongs to "
                + ("a normalisation" if owner is None else f"`norm={owner}`"),
                f"add `norm={owner or 'batch'}`, or remove `{option}=`"
                + (f"; for a grouped convolution write `g{given.get(option, 8)}`" if option == GROUPS.name else ""),
            )
