"""Binding of a line's items to the options that its word declares; every statement is read this way."""

from collections import deque
from collections.abc import Sequence
from typing import cast

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.current_line import SHORT, CurrentLine
from caedsl.resolve.reading.joined_lines import without_doubled_head
from caedsl.resolve.reading.leftover_values import report_late, report_leftover
from caedsl.resolve.reading.line_options import LineOptions
from caedsl.resolve.reading.line_values import add_to_rest, read_into, report_flag_with_value, set_activation, set_bare
from caedsl.resolve.reading.quantities import Misread, with_units
from caedsl.resolve.reading.regrouping import (
    called_activation,
    is_numbered_activation,
    is_split,
    join_activation,
    join_option,
    joined_ranges,
    joined_size,
    separated_option,
)
from caedsl.resolve.reading.respelling import example_of
from caedsl.resolve.reading.unknown_items import read_unknown
from caedsl.resolve.reading.values import read, short_value
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

_MOST_ITEMS = 200


def bind(owner: str, items: Sequence[tree.Item], options: Sequence[Option], scope: Scope) -> LineOptions:
    """Return the values that ``items`` give the ``options`` of ``owner``; report and skip what cannot be read."""
    line = CurrentLine(owner, options, scope)
    named = line.by_name.get(owner.rpartition(" ")[2])
    is_name = line.first is not None and line.first.type is Type.CHOICE
    if not is_name and (named is None or named.written is Written.FIRST):
        items = without_doubled_head(owner, items, scope)
    items = joined_ranges(line, items)
    line.items = items = with_units(items, scope, (line.by_name, line.by_short, line.words))
    queue = deque(items[:_MOST_ITEMS])
    if len(items) > _MOST_ITEMS:
        line.fault(
            "unexpected-value",
            items[_MOST_ITEMS].span,
            f"`{owner}` has more than {_MOST_ITEMS} values and options on one line",
            help="delete the rest, or start a new line",
        )
    while queue and not line.ended:
        item = queue.popleft()
        line.after_lost, line.lost = line.lost, False
        if not is_split(line, item, queue):
            _bind_item(line, item, queue)
            line.begun |= not isinstance(item, tree.ComparisonSign)
    return line.bound


def _bind_item(line: CurrentLine, item: tree.Item, queue: deque[tree.Item]) -> None:
    """Assign an item to an option; some take the items after them from the queue too."""
    match item:
        case tree.WrittenOption() | tree.WrittenWord() if name := called_activation(line, item, queue):
            value = cast(tree.Parenthesised, queue.popleft())
            join_activation(line, name, item.span.to(value.span), value.value)
        case tree.WrittenOption():
            _bind_option(line, item)
        case tree.WrittenWord() if _is_worded(line, item):
            _take_value(line, line.by_name[item.text], item, queue)
        case tree.WrittenWord() if is_numbered_activation(line, item, queue):
            number = cast(tree.Value, queue.popleft())
            join_activation(line, item.text, item.span.to(number.span), number)
        case tree.WrittenWord() if (option := separated_option(line, item, queue)) is not None:
            join_option(line, option, item, queue)
        case tree.WrittenWord():
            _bind_word(line, item)
        case tree.ComparisonSign():
            report_leftover(line, item)
        case _:
            _bind_value(line, joined_size(line, line.first, item, queue))


def _is_worded(line: CurrentLine, word: tree.WrittenWord) -> bool:
    option = line.by_name.get(word.text)
    return option is not None and option.written is Written.WORDED


def _take_value(line: CurrentLine, option: Option, word: tree.WrittenWord, queue: deque[tree.Item]) -> None:
    if queue and not isinstance(queue[0], tree.WrittenOption | tree.ComparisonSign):
        value = joined_size(line, option, cast(tree.Value, queue.popleft()), queue)
        read_into(line, option, value, word.span.to(value.span))
    else:
        line.bound.failed.add(option.name)
        words = option.choices and f"one of {', '.join(option.choices)}"
        line.fault(
            "missing-value",
            word.span,
            f"`{word.text}` is not followed by {words or option.type.value}",
            help=f"write `{example_of(option)}`",
        )


def _bind_option(line: CurrentLine, item: tree.WrittenOption) -> None:
    name = item.name.text
    if name in FUNCTIONS and ACTIVATION.name in line.by_name:
        set_activation(line, item)
        return
    option = line.by_name.get(name)
    if option is not None and option.written is Written.NAMED:
        read_into(line, option, item.value, item.span)
    elif option is not None and option.type is Type.FLAG:
        report_flag_with_value(line, option, item)
    elif name in line.by_short:
        read_into(line, line.by_short[name], item.value, item.span)
    else:
        read_unknown(line, item.name, item, "option")


def _bind_word(line: CurrentLine, word: tree.WrittenWord) -> None:
    short = SHORT.match(word.text)
    if _names_first(line) or _is_own_constant(line, word):
        _bind_value(line, word)
    elif word.text in line.words:
        set_bare(line, line.words[word.text], word)
    elif short and short[1] in line.by_short:
        read_into(line, line.by_short[short[1]], short_value(short[2], word.span), word.span)
    elif (line.first is not None and _first_takes(line, line.first, word)) or (
        line.rest is not None and word.text in line.scope.constants
    ):
        _bind_value(line, word)
    else:
        read_unknown(line, word, word, "word")


def _is_own_constant(line: CurrentLine, word: tree.WrittenWord) -> bool:
    """Whether ``word`` stands for the value and is a constant whose name the language reserves."""
    named = word.text in line.scope.constants and line.scope.is_reserved(word.text)
    return named and not line.begun and line.first is not None and _first_takes(line, line.first, word)


def _names_first(line: CurrentLine) -> bool:
    """Whether the next word is the name that the line must have, even if it looks like an option."""
    first = line.first
    if first is None or line.begun or first.name in line.bound.spans:
        return False
    return first.type is Type.NAME and first.default is REQUIRED


def _first_takes(line: CurrentLine, first: Option, word: tree.WrittenWord) -> bool:
    if first.type in (Type.NAME, Type.CHOICE, Type.PATH):
        return first.name not in line.bound.spans
    numeric = first.type in (Type.COUNT, Type.NUMBER, Type.SHARE, Type.PER_AXIS, Type.SHAPE)
    if not numeric or line.begun:
        return numeric and line.scope.is_constant(word.text)
    # A word in the position of the value is the value, unless it looks like another word of the line.
    like = None if line.scope.is_constant(word.text) else line.near(word.text)
    is_value = like is None or like in line.scope.constants
    return first.default is REQUIRED and is_value and word.text.lower() not in foreign_words.WORDS


def _bind_value(line: CurrentLine, item: tree.Value) -> None:
    if line.first is None or line.first.name in line.bound.spans:
        report_leftover(line, item) if line.rest is None else add_to_rest(line, line.rest, item)
        return
    if line.begun:
        if isinstance(read(line.first, item, line.scope), Misread):
            report_leftover(line, item)
            return
        report_late(line, line.first, item)
    read_into(line, line.first, item, item.span)
