"""Names of layers: those of this language, and what misspelt names and those of other libraries stand for."""

import re
from collections.abc import Container
from dataclasses import replace
from functools import cache

from caedsl.diagnostics import foreign_layers
from caedsl.diagnostics.foreign_layers import is_layer
from caedsl.resolve.reading.current_line import SHORT
from caedsl.resolve.reading.glued import layer_apart, starts_with_value, words_apart
from caedsl.resolve.reading.respelling import activation_named, example_of, replacing, report_outside
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import a_sample, rank, text


def _first_option(kind: Kind) -> Option | None:
    """Return the option that a line of this kind writes first, without a name."""
    return next((option for option in kind.options if option.written is Written.FIRST), None)


def find_kind(
    head: tree.WrittenWord, scope: Scope, broken: bool = False, alone: bool = False, numbered: bool = False
) -> Kind | None:
    """Return the kind with that name; a misspelt name is reported and read as the closest kind.

    On a ``broken`` line, which already has a finding, nothing is reported. ``alone`` says that the line has no values,
    ``numbered`` that it starts with one, so that a number at the end of the name is not the value.
    """
    kind = KINDS.get(head.text)
    if kind is not None:
        return kind
    if not broken and head.text not in scope.blocks and report_outside(head, "unknown-layer", scope):
        return None
    plain = foreign_layers.plain_layer(head.text)
    idle = alone and plain in FUNCTIONS and plain not in KINDS  # `linear` is an activation, and no layer
    help_line = foreign_layers.LAYER_NOTES.get("identity" if idle else plain, "")
    words = layer_apart(head.text)
    if words and not numbered:
        help_line = f"write `{words}`"
    known = plain if plain in KINDS else foreign_layers.LAYERS.get(plain) or _activation(plain)
    near = None if help_line else known
    if not near and not help_line:
        near = scope.nearest(head.text, (*KINDS, *scope.blocks))
    first = _first_option(KINDS[near]) if alone and near in KINDS else None
    if near is not None and first is not None and first.default is REQUIRED:
        if not broken:
            help_line = f"write `{near} {example_of(first)}`"
            scope.report("unknown-layer", head.span, f'unknown layer "{head.text}"', help=help_line)
        return KINDS[near]
    if near is None and not help_line and not scope.knows_blocks:
        return None
    if not help_line and SHORT.fullmatch(head.text):
        help_line = "options are on the line of their layer: move this line to the end of the one before"
    help_line = help_line or _known_layers()
    if not broken and head.text not in scope.unknown_blocks:
        other_rank = _help_for_rank(head.text, near, scope) if near is not None else ""
        message = f'unknown layer "{head.text}"'
        meant = None if other_rank else near
        scope.report("unknown-layer", head.span, message, help=other_rank or help_line, meant=meant)
    if near in scope.blocks:
        scope.unknown_blocks.add(head.text)
    return KINDS.get(near or "")


def _help_for_rank(word: str, near: str, scope: Scope) -> str:
    """Return what to write for ``Conv1D`` if the input is an image; an empty text if the name fits."""
    wanted, shape = foreign_layers.rank_in(word), scope.input_shape
    if wanted is None or shape is None or wanted == rank(shape):
        return ""
    sample = ("", "a signal", "an image", "a volume")[wanted]
    example = f"input {shape[0]}x{'x'.join(('64',) * wanted)}"
    return f"write `{near}` for {a_sample(shape)} as in `input {text(shape)}`, or declare {sample}: `{example}`"


@cache
def _known_layers() -> str:
    return f"layers are {', '.join(kind for kind in KINDS if kind not in FUNCTIONS)}, and activations"


def _activation(word: str) -> str | None:
    name = activation_named(word)
    return name if name in KINDS else None


def with_spaces(statement: tree.Statement, scope: Scope) -> tree.Statement | None:
    """Return ``convrelu 8``, ``upsampleto 16x16`` and ``stagedown { … }`` with spaces, after a finding."""
    word, items = statement.head.text, statement.items
    name = max((kind for kind in KINDS if word.startswith(kind)), key=len, default="")
    rest = word.removeprefix(name).lstrip("_")
    if not name or word in scope.blocks or statement.broken or is_layer(word):
        return None
    if _follows(rest, KINDS[name], scope):
        items = (tree.WrittenWord(rest, statement.head.span), *items)
    elif rest.isdigit() and items and _is_fraction(items[0], statement.head.span.end):
        span = statement.head.span.to(items[0].span)
        items = (tree.Number(rest + scope.source.slice(items[0].span), span), *items[1:])
    elif words := words_apart(rest):
        items = (*items, *(tree.WrittenWord(each, statement.head.span) for each in words))
    else:
        return None
    written = " ".join((name, *(_text(item, scope) for item in items)))
    block = "" if statement.block is None else " { … }"
    span = statement.head.span.to((statement.head, *statement.items)[-1].span)
    message = f'unknown layer "{word}"'
    scope.report("unknown-layer", span, message, help=f"write `{written}{block}`", fix=replacing(span, written))
    return replace(statement, head=tree.WrittenWord(name, statement.head.span), items=items, broken=True)


def _follows(word: str, kind: Kind, scope: Scope) -> bool:
    """Return whether ``word`` is one that a line of ``kind`` starts with: a name, or `to`."""
    first = _first_option(kind)
    if first is not None and first.type is Type.NAME:
        return word in scope.output_names if isinstance(kind, Join) else len(word) > 2
    return any(option.name == word and option.written is Written.WORDED for option in kind.options)


def _is_fraction(item: tree.Item, start: int) -> bool:
    """Return whether ``item`` is the `.1` of ``dropout0.1``."""
    return isinstance(item, tree.Number) and item.span.start == start and item.text.startswith(".")


def _text(item: tree.Item, scope: Scope) -> str:
    return item.text if isinstance(item, tree.WrittenWord | tree.Number) else scope.source.slice(item.span)


_MOST_WORDS = 3


def in_one_word(statement: tree.Statement, scope: Scope) -> tree.Statement:
    """Return ``max pool 2`` as ``maxpool 2`` and ``global avg pool`` as ``globalpool``; find_kind reports the name."""
    words = [statement.head]
    for item in statement.items[: _MOST_WORDS - 1]:
        if not isinstance(item, tree.WrittenWord):
            break
        words.append(item)
    for count in range(len(words), 1, -1) if statement.head.text not in KINDS else ():
        plain = foreign_layers.plain_layer("".join(word.text for word in words[:count]))
        if _is_layer(plain):
            span = statement.head.span.to(words[count - 1].span)
            head = tree.WrittenWord(scope.source.slice(span), span)
            return replace(statement, head=head, items=statement.items[count - 1 :])
    return statement


def _is_layer(plain: str) -> bool:
    """Return whether a plain name is that of a layer, here or in another library."""
    known: tuple[Container[str], ...] = (KINDS, foreign_layers.LAYERS, foreign_layers.LAYER_NOTES)
    return any(plain in names for names in known) or bool(_activation(plain))


def pool_of_everything(statement: tree.Statement, scope: Scope) -> tree.Statement | None:
    """Return ``AdaptiveAvgPool2d(1)`` as the layer without a number that it stands for, with a finding."""
    known = KINDS.get(foreign_layers.LAYERS.get(foreign_layers.plain_layer(statement.head.text), ""))
    if known is None or known.options or statement.head.text in KINDS or not starts_with_value(statement.items):
        return None
    first, *rest = statement.items
    span = statement.head.span.to(first.span)
    text_ = scope.source.slice(span)
    single = set(re.findall(r"\d+", scope.source.slice(first.span))) == {"1"}
    help_line = f"write `{known.name}`" if single else f"`{known.name}` returns one number for each channel"
    fix = replacing(span, known.name) if single else None
    scope.report("unknown-layer", span, f"unknown layer `{text_}`", help=help_line, fix=fix)
    return replace(statement, head=tree.WrittenWord(known.name, span), items=tuple(rest), broken=True)


def enlarged_to_size(statement: tree.Statement, scope: Scope) -> tree.Statement | None:
    """Return PyTorch's ``Upsample(14)``, whose number is a size and not a factor, as `upsample to 14x14`."""
    name = statement.head.text.rpartition(".")[2]
    if name != "Upsample" or not starts_with_value(statement.items) or scope.input_shape is None:
        return None
    first, *rest = statement.items
    span = statement.head.span.to(first.span)
    sides = tuple(map(int, re.findall(r"\d{1,9}", scope.source.slice(first.span)))) * rank(scope.input_shape)
    size = tree.Size(sides[: rank(scope.input_shape)], first.span)
    line = f"upsample to {'x'.join(map(str, size.dims))}"
    message = f"the first argument of `{statement.head.text}` is a size, not a factor"
    scope.report("unknown-layer", span, message, help=f"write `{line}`", fix=replacing(span, line))
    head, to = tree.WrittenWord("upsample", statement.head.span), tree.WrittenWord("to", first.span)
    return replace(statement, head=head, items=(to, size, *rest), broken=True)
