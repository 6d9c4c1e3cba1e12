"""Items that mean one option although they are written apart, and single items that mean several."""

from collections import deque
from collections.abc import Sequence
from typing import cast

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.current_line import CurrentLine
from caedsl.resolve.reading.line_values import reread
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.respelling import activation_named, replacing, respelled
from caedsl.resolve.reading.values import is_whole, read
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.errors.wording import size_text
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, Activation
from caedsl.vocabulary.option import Option, Type, Written

_BETWEEN_ENDS = frozenset(("to",))
"""Words between the ends of a range in plain English."""


def joined_ranges(line: CurrentLine, items: Sequence[tree.Item]) -> Sequence[tree.Item]:
    """Return the items with ``0 to 1`` as the range that it means, after a finding; other items as they are."""
    places = [
        place
        for place, item in enumerate(items)
        if isinstance(item, tree.WrittenWord) and item.text in _BETWEEN_ENDS and 0 < place < len(items) - 1
    ]
    joined = list(items)
    for place in reversed(places) if not _BETWEEN_ENDS & line.by_name.keys() else ():
        low, high = items[place - 1], items[place + 1]
        start = low.value if isinstance(low, tree.WrittenOption) else low
        if isinstance(start, tree.Number | tree.Negative) and isinstance(high, tree.Number | tree.Negative):
            span = start.span.to(high.span)
            text = f"{line.scope.source.slice(start.span)}..{line.scope.source.slice(high.span)}"
            first = joined[place - 2] if place > 1 else None
            named = foreign_words.OPTIONS.get(first.text, "") if isinstance(first, tree.WrittenWord) else ""
            if first is not None and named in line.by_name:
                joined[place - 2] = tree.WrittenWord(named, first.span)
                span, text = first.span.to(span), f"{named} {text}"
            message = f"`{line.scope.source.slice(span)}` is a range, whose ends are joined by `..`"
            line.fault("wrong-type", span, message, help=f"write `{text}`", fix=replacing(span, text))
            whole = tree.Range(start, high, span)
            if isinstance(low, tree.WrittenOption):
                joined[place - 1] = tree.WrittenOption(low.name, whole, low.span.to(span))
            else:
                joined[place - 1] = whole
            del joined[place : place + 2]
    return joined if places else items


def is_split(line: CurrentLine, item: tree.Item, queue: deque[tree.Item]) -> bool:
    """Put what is meant by `8 + relu`, `relu * 3` or `leaky-relu` back into the queue, with a finding.

    Return False for other items.
    """
    match item:
        case tree.Operation(operator="+", right=tree.WrittenWord() as word) if word.text in line.words:
            _report_added(line, item, word)
            queue.extendleft((word, item.left))
        case tree.Operation("*", tree.WrittenWord() as word, tree.Number() as number) if (
            word.text in line.words and "x" in line.by_short
        ):
            _report_rewritten(line, item, f"{word.text} x{line.scope.source.slice(number.span)}")
            queue.appendleft(word)
        case tree.Operation("-", tree.WrittenWord() as first, tree.WrittenWord() as second) if (
            joined := f"{first.text}_{second.text}"
        ) in line.words:
            _report_rewritten(line, item, joined)
            queue.appendleft(tree.WrittenWord(joined, item.span))
        case _:
            return False
    return True


def _report_rewritten(line: CurrentLine, item: tree.Item, text: str) -> None:
    message = f"`{line.scope.source.slice(item.span)}` is arithmetic, which has no meaning with words"
    line.fault("unexpected-value", item.span, message, help=f"write `{text}`", fix=replacing(item.span, text))


def _report_added(line: CurrentLine, sum_: tree.Operation, word: tree.WrittenWord) -> None:
    """Report `8 + relu`, which is not a sum."""
    before = " ".join(line.scope.source.slice(sum_.left.span).replace("+", " ").split())
    written = f"{before} {word.text}"
    message = f"`{word.text}` is not a number: options of a line are written without `+`"
    help_line = f"write `{written}`" if line.begun else f"write `{line.owner} {written}`"
    line.fault("unexpected-value", sum_.span, message, help=help_line, fix=replacing(sum_.span, written))


def called_activation(line: CurrentLine, item: tree.WrittenOption | tree.WrittenWord, queue: deque[tree.Item]) -> str:
    """Return the activation of `LeakyReLU(0.2)` or `activation=leaky_relu(0.2)`, or an empty text."""
    if not queue or not isinstance(queue[0], tree.Parenthesised) or queue[0].span.start != item.span.end:
        return ""
    word = item.value if isinstance(item, tree.WrittenOption) else item
    name = activation_named(word.text) if isinstance(word, tree.WrittenWord) else ""
    return name if ACTIVATION.name in line.by_name and line.takes_value(name) else ""


def is_numbered_activation(line: CurrentLine, word: tree.WrittenWord, queue: deque[tree.Item]) -> bool:
    """Return whether ``word`` is an activation that its number follows without `=`, as in `leaky_relu 0.1`."""
    number = queue[0] if queue else None
    if word.text not in FUNCTIONS or not line.takes_value(word.text):
        return False
    if not isinstance(number, tree.Number | tree.Negative | tree.Range):
        return False
    known = line.first is None or line.first.name in line.bound.spans
    return known or isinstance(read(cast(Option, line.first), number, line.scope), Misread)


def join_activation(line: CurrentLine, name: str, span: Span, value: tree.Value) -> None:
    """Report an activation that is separated from its number, and read it."""
    text = f"{name}={line.scope.source.slice(value.span)}"
    message = f"`{line.scope.source.slice(span)}`: the number of an activation follows `=`"
    line.fault("unexpected-value", span, message, help=f"write `{text}`", fix=replacing(span, text))
    read_value = read(cast(Option, FUNCTIONS[name].option)._replace(name=name), value, line.scope)
    line.assign(
        line.by_name[ACTIVATION.name],
        Activation(name, None if isinstance(read_value, Misread) else read_value),
        span,
    )


def separated_option(line: CurrentLine, word: tree.WrittenWord, queue: deque[tree.Item]) -> Option | None:
    """Return the option that ``word`` names if its value follows without an ``=``, as in ``dropout 0.1``."""
    if word.text in line.words or not queue or isinstance(queue[0], tree.WrittenOption | tree.ComparisonSign):
        return None
    meant = line.by_name.get(foreign_words.OPTIONS.get(word.text.lower(), ""))
    option = line.by_name.get(word.text) or meant or line.by_short.get(word.text)
    named = option is not None and option.written in (Written.NAMED, Written.SHORT, Written.WORDED)
    return option if named and respelled(cast(Option, option), queue[0], line.scope) else None


def join_option(line: CurrentLine, option: Option, word: tree.WrittenWord, queue: deque[tree.Item]) -> None:
    """Report an option that is separated from its value, and read it; ``epochs`` in `patience 5 epochs` too."""
    value = cast(tree.Value, queue.popleft())
    span = word.span.to(value.span)
    if queue and isinstance(queue[0], tree.WrittenWord) and queue[0].text.lower() in foreign_words.NOUNS:
        span = span.to(queue.popleft().span)
    text = respelled(option, value, line.scope) or ""
    message = f'unknown word "{word.text}" on {line.owner}'
    line.fault("unknown-option", word.span, message, help=f"write `{text}`", fix=replacing(span, text))
    reread(line, option, tree.WrittenOption(word, value, span))


def joined_size(line: CurrentLine, option: Option | None, item: tree.Value, queue: deque[tree.Item]) -> tree.Value:
    """Return consecutive numbers as the single size that they are meant to be, with a finding."""
    sized = option is not None and option.type in (Type.SHAPE, Type.PER_AXIS, Type.SIZE)
    numbers = [item]
    while sized and queue and is_whole(numbers[-1]):
        if _is_joining(line, queue):
            queue.popleft()
        if not is_whole(queue[0]):
            break
        numbers.append(cast(tree.Number, queue.popleft()))
    if len(numbers) == 1:
        return item
    span = numbers[0].span.to(numbers[-1].span)
    texts = [number.text for number in numbers if isinstance(number, tree.Number)]
    size = size_text(texts, is_input=line.owner in ("input", "target"))
    dims = tuple(map(int, size.split("x")))
    line.fault(
        "wrong-type",
        span,
        f"`{line.scope.source.slice(span)}` is one size: join its numbers by x",
        help=f"write `{size}`",
        fix=replacing(span, size),
    )
    return tree.Size(dims, span)


def _is_joining(line: CurrentLine, queue: deque[tree.Item]) -> bool:
    """Return whether the next word is the `x` of `1 x 28 x 28`, which on other lines is an option."""
    word = queue[0]
    joins = isinstance(word, tree.WrittenWord) and word.text in ("x", "X") and "x" not in line.by_short
    return joins and len(queue) > 1 and is_whole(queue[1])
