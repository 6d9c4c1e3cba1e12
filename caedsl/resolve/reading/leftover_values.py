"""Values without a name that a line does not take, and what they most likely belong to."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from caedsl.resolve.reading.current_line import SHORT, CurrentLine
from caedsl.resolve.reading.misreads import called
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.respelling import replacing, respelled
from caedsl.resolve.reading.values import is_whole, read, short_value
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written


def report_leftover(line: CurrentLine, item: tree.Item) -> None:
    """Report a value without a name that the line does not take, and the options that it may belong to."""
    if line.bound.lost or line.bound.failed or any(name == "unexpected-value" for name in line.bound.faults):
        return  # more values of the same kind, or the one that a mistake before it should have been
    text = line.scope.source.slice(item.span)
    if _report_joined_shorts(line, item) or _report_fraction(line, item):
        return
    if line.first is None or line.first.type is Type.CHOICE:
        message = f"`{line.owner}` takes no value without a name, but `{text}` is one"
        options: Sequence[Option] = _named_for(line, item)
    else:
        value = "one value" if line.first.name == line.owner else f"one value without a name, {called(line.first)}"
        message = f"`{line.owner}` takes {value}; `{text}` is one too many"
        named = [option for option in line.options if option.name in ("kernel", "stride") and option.short]
        options = named or [each for each in _named_for(line, item) if each.default is REQUIRED][:1]
    if isinstance(item, tree.Range):
        worded = [option for option in line.options if option.written is Written.WORDED]
        options = worded or [option for option in options if option.ranged]
    flag = _flag_before(line, item)
    if flag is not None:
        message, help_line = f"`{flag}` takes no value: writing it turns it on", f"delete `{text}`"
        line.fault("unexpected-value", item.span, message, help=help_line)
        return
    if _counts_copies(line, item):
        line.fault("unexpected-value", item.span, message, help=f"write `x{text}` for {text} copies of the line")
        return
    if (joined := _joined_thousands(line, item)) is not None:
        _report_thousands(line, joined, message)
        return
    free = [option for option in options if option.name not in line.bound.spans]
    written = [(option, words) for option in free if (words := _as_option(line, option, item))]
    examples = [
        f"`{words}` for the {option.name}" if option.written is Written.SHORT else f"`{words}`"
        for option, words in written
    ]
    fix = replacing(item.span, written[0][1]) if isinstance(item, tree.Size) and written else None
    if whole := _with_value_before(line, item):
        examples = [f"`{whole}`", *examples]
    if isinstance(item, tree.Range) and line.owner in FUNCTIONS:
        help_line = f"write `clip {text}`"
    elif examples:
        help_line = f"write {' or '.join(examples)}"
    elif line.first is None or len(line.options) == 1:
        help_line = f"delete `{text}`"
    else:
        help_line = f"options of `{line.owner}` are {line.listed()}"
    line.fault("unexpected-value", item.span, message, help=help_line, fix=fix)


def _report_joined_shorts(line: CurrentLine, item: tree.Item) -> bool:
    """Report ``k4/s2`` and ``k-4``: short options with a sign between them or before their number, which are read."""
    if not isinstance(item, tree.Operation):
        return False
    words = re.split(r"\s*[-+*/]\s*", _SIGNED.sub(r"\1\2", line.scope.source.slice(item.span)))
    options = [line.by_short.get(match[1]) for word in words if (match := SHORT.match(word))]
    if len(options) < len(words) or None in options:
        return False
    for word, option in zip(words, cast(list[Option], options), strict=True):
        value = read(option, short_value(word[1:], item.span), line.scope)
        if not isinstance(value, Misread) and option.name not in line.bound.spans:
            line.assign(option, value, item.span)
    written = " ".join(words)
    message = f"`{line.scope.source.slice(item.span)}` is arithmetic: options are written as `{written}`"
    line.fault("unexpected-value", item.span, message, help=f"write `{written}`", fix=replacing(item.span, written))
    return True


_SIGNED = re.compile(r"\b([a-z])\s*[-+*/]\s*(\d+(?:x\d+)*)\b")
"""Match the letter of a short option, and its number after a sign."""


def _report_fraction(line: CurrentLine, item: tree.Item) -> bool:
    """Report ``k2.5``: the end of a fraction, where a short option has a whole number."""
    before = line.before(item)
    if not isinstance(item, tree.Number) or not item.text.startswith(".") or not isinstance(before, tree.WrittenWord):
        return False
    match = SHORT.match(before.text)
    option = line.by_short.get(match[1]) if match else None
    if match is None or option is None or before.span.end != item.span.start or not match[2].isdigit():
        return False
    beside = " or ".join(f"`{match[1]}{count}`" for count in (int(match[2]), int(match[2]) + 1) if count)
    span = before.span.to(item.span)
    message = f"{called(option)} must be a whole number, not `{line.scope.source.slice(span)}`"
    line.fault("wrong-type", span, message, help=f"write {beside}")
    return True


def report_late(line: CurrentLine, first: Option, item: tree.Value) -> None:
    """Report a value that must come first but does not; read it anyway."""
    text = line.scope.source.slice(item.span)
    others = (line.scope.source.slice(other.span) for other in line.items if other is not item)
    inside = " ".join((text, *others))
    owner = line.owner.removesuffix(f" {text}")
    why = "" if first.name == owner else f": it is {called(first)} of `{owner}`"
    line.fault(
        "unexpected-value",
        item.span,
        f"`{text}` must come first{why}",
        help=f"write `{owner} {inside}`",
        fix=replacing(line.items[0].span.to(line.items[-1].span), inside),
    )


def _counts_copies(line: CurrentLine, item: tree.Item) -> bool:
    """Return whether ``item`` is the number of `2 times` on a line that can be repeated."""
    following = next((after for before, after in pairwise(line.items) if before is item), None)
    is_word = isinstance(following, tree.WrittenWord) and following.text in ("times", "copies")
    return is_word and is_whole(item) and "x" in line.by_short


def _with_value_before(line: CurrentLine, item: tree.Item) -> str:
    """Return ``gaussian=0.1 0.5``, ``k3 5`` or ``hardtanh 0..2`` as the one option that it may be, or no text."""
    text = line.scope.source.slice(item.span)
    match line.before(item), item:
        case tree.WrittenOption(name, tree.Number() as low), tree.Number() if (
            option := line.by_name.get(name.text)
        ) is not None and option.ranged:
            return f"{name.text}={low.text}..{text}"
        case tree.WrittenWord(word), tree.Number() if (
            (match := SHORT.match(word)) and text.isdigit() and _is_per_axis(line, match[1])
        ):
            return f"{word}x{text}"
        case tree.WrittenWord(word), tree.Range() if word in FUNCTIONS:
            return f"clip={text}"
        case _:
            return ""


def _is_per_axis(line: CurrentLine, short: str) -> bool:
    option = line.by_short.get(short)
    return option is not None and option.type is Type.PER_AXIS


def _flag_before(line: CurrentLine, item: tree.Item) -> str | None:
    """Return the word before ``item`` if it is one that takes no value."""
    before = line.before(item)
    option = line.by_name.get(before.text) if isinstance(before, tree.WrittenWord) else None
    return option.name if option is not None and option.type is Type.FLAG else None


def _report_thousands(line: CurrentLine, joined: tree.Number, message: str) -> None:
    """Report ``1 000`` with the number that is meant, and read that number."""
    help_line, fix = f"write `{line.owner} {joined.text}`", replacing(joined.span, joined.text)
    line.fault("unexpected-value", joined.span, message, help=help_line, fix=fix)
    if line.first is not None and not isinstance(value := read(line.first, joined, line.scope), Misread):
        line.bound.values[line.first.name] = value


def _as_option(line: CurrentLine, option: Option, item: tree.Item) -> str | None:
    """Return the option with ``item`` as its value, as a line writes it, or None if it has no such value."""
    return None if isinstance(item, tree.WrittenOption | tree.ComparisonSign) else respelled(option, item, line.scope)


def _named_for(line: CurrentLine, item: tree.Item) -> list[Option]:
    """Return the named option that a value without a name belongs to: one of its kind, a required one first."""
    share = line.scope.source.slice(item.span).endswith("%")
    fitting = [option for option in line.options if option.written is Written.NAMED and _as_option(line, option, item)]
    required = [option for option in fitting if option.default is REQUIRED]
    if isinstance(item, tree.Number) and item.text.isdigit() and int(item.text) > 1:  # a count
        fitting = [option for option in fitting if option.type is Type.COUNT]

    def unlikely(option: Option) -> tuple[bool, bool]:
        # What may have any sign, such as a mean, is less likely than an amount.
        return (option.type is Type.SHARE) != share, option.domain.low is None or option.domain.low < 0

    return required or sorted(fitting, key=unlikely)[:1]


def _joined_thousands(line: CurrentLine, item: tree.Item) -> tree.Number | None:
    """Return ``1 000`` as the one number that it is elsewhere."""
    before = line.before(item)
    if not isinstance(item, tree.Number) or not isinstance(before, tree.Number) or len(item.text) != 3:
        return None
    if not before.text.isdigit() or not item.text.isdigit():
        return None
    return tree.Number(before.text + item.text, before.span.to(item.span))
