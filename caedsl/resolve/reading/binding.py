"""Binding of a line's items to the options that its word declares; every statement is read this way."""

from collections import deque
from collections.abc import Sequence
from typing import cast

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.joined_lines import without_doubled_head
from caedsl.resolve.reading.leftover_values import LeftoverValues
from caedsl.resolve.reading.line_faults import SHORT
from caedsl.resolve.reading.line_options import LineOptions
from caedsl.resolve.reading.quantities import Misread, with_units
from caedsl.resolve.reading.respelling import (
    activation_named,
    example_of,
    replacing,
    respelled,
)
from caedsl.resolve.reading.values import is_whole, read, short_value
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.errors.wording import size_text
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, Activation
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

_MOST_ITEMS = 200


class _Binder(LeftoverValues):
    """Reader of one line, which assigns each item to an option or reports it."""

    def bind(self, items: Sequence[tree.Item]) -> LineOptions:
        named = self.by_name.get(self.owner.rpartition(" ")[2])
        is_name = self.first is not None and self.first.type is Type.CHOICE
        if not is_name and (named is None or named.written is Written.FIRST):
            items = without_doubled_head(self.owner, items, self.scope)
        self.items = items = with_units(items, self.scope, (self.by_name, self.by_short, self.words))
        queue = deque(items[:_MOST_ITEMS])
        if len(items) > _MOST_ITEMS:
            self._fault(
                "unexpected-value",
                items[_MOST_ITEMS].span,
                f"`{self.owner}` has more than {_MOST_ITEMS} values and options on one line",
                help="delete the rest, or start a new line",
            )
        while queue:
            item = queue.popleft()
            self.after_lost, self.lost = self.lost, False
            if not self._is_split(item, queue):
                self._bind_item(item, queue)
                self.begun = True
        return self.bound

    def _is_split(self, item: tree.Item, queue: deque[tree.Item]) -> bool:
        """Put what is meant by `8 + relu`, `relu * 3` or `leaky-relu` back into the queue, with a finding.

        Return False for other items.
        """
        match item:
            case tree.Operation(operator="+", right=tree.WrittenWord() as word) if word.text in self.words:
                self._added(item, word)
                queue.extendleft((word, item.left))
            case tree.Operation("*", tree.WrittenWord() as word, tree.Number() as number) if (
                word.text in self.words and "x" in self.by_short
            ):
                self._report_rewritten(item, f"{word.text} x{self.scope.source.slice(number.span)}")
                queue.appendleft(word)
            case tree.Operation("-", tree.WrittenWord() as first, tree.WrittenWord() as second) if (
                joined := f"{first.text}_{second.text}"
            ) in self.words:
                self._report_rewritten(item, joined)
                queue.appendleft(tree.WrittenWord(joined, item.span))
            case _:
                return False
        return True

    def _report_rewritten(self, item: tree.Item, text: str) -> None:
        message = f"`{self.scope.source.slice(item.span)}` is arithmetic, which has no meaning with words"
        self._fault("unexpected-value", item.span, message, help=f"write `{text}`", fix=replacing(item.span, text))

    def _bind_item(self, item: tree.Item, queue: deque[tree.Item]) -> None:
        """Assign an item to an option; some take the items after them from the queue too."""
        match item:
            case tree.WrittenOption() | tree.WrittenWord() if name := self._called_activation(item, queue):
                value = cast(tree.Parenthesised, queue.popleft())
                self._join_activation(name, item.span.to(value.span), value.value)
            case tree.WrittenOption():
                self._named(item)
            case tree.WrittenWord() if self._worded(item):
                self._take(self.by_name[item.text], item, queue)
            case tree.WrittenWord() if self._numbered(item, queue):
                number = cast(tree.Value, queue.popleft())
                self._join_activation(item.text, item.span.to(number.span), number)
            case tree.WrittenWord() if (option := self._separated_option(item, queue)) is not None:
                self._report_separated(option, item, queue)
            case tree.WrittenWord():
                self._word(item)
            case tree.ComparisonSign():
                self._leftover(item)
            case _:
                self._positional(self._joined(self.first, item, queue))

    def _called_activation(self, item: tree.WrittenOption | tree.WrittenWord, queue: deque[tree.Item]) -> str:
        """Return the activation of `LeakyReLU(0.2)` or `activation=leaky_relu(0.2)`, or an empty text."""
        if not queue or not isinstance(queue[0], tree.Parenthesised) or queue[0].span.start != item.span.end:
            return ""
        word = item.value if isinstance(item, tree.WrittenOption) else item
        name = activation_named(word.text) if isinstance(word, tree.WrittenWord) else ""
        return name if ACTIVATION.name in self.by_name and self._takes_value(name) else ""

    def _numbered(self, word: tree.WrittenWord, queue: deque[tree.Item]) -> bool:
        """Return whether ``word`` is an activation that its number follows without `=`, as in `leaky_relu 0.1`."""
        number = queue[0] if queue else None
        if word.text not in FUNCTIONS or not self._takes_value(word.text):
            return False
        if not isinstance(number, tree.Number | tree.Negative | tree.Range):
            return False
        known = self.first is None or self.first.name in self.bound.spans
        return known or isinstance(read(cast(Option, self.first), number, self.scope), Misread)

    def _join_activation(self, name: str, span: Span, value: tree.Value) -> None:
        """Report an activation that is separated from its number, and read it."""
        text = f"{name}={self.scope.source.slice(value.span)}"
        message = f"`{self.scope.source.slice(span)}`: the number of an activation follows `=`"
        self._fault("unexpected-value", span, message, help=f"write `{text}`", fix=replacing(span, text))
        read_value = read(cast(Option, FUNCTIONS[name].option)._replace(name=name), value, self.scope)
        self._set(
            self.by_name[ACTIVATION.name],
            Activation(name, None if isinstance(read_value, Misread) else read_value),
            span,
        )

    def _separated_option(self, word: tree.WrittenWord, queue: deque[tree.Item]) -> Option | None:
        """Return the option that ``word`` names if its value follows without an ``=``, as in ``dropout 0.1``."""
        if word.text in self.words or not queue or isinstance(queue[0], tree.WrittenOption | tree.ComparisonSign):
            return None
        meant = self.by_name.get(foreign_words.OPTIONS.get(word.text.lower(), ""))
        option = self.by_name.get(word.text) or meant or self.by_short.get(word.text)
        named = option is not None and option.written in (Written.NAMED, Written.SHORT, Written.WORDED)
        return option if named and respelled(cast(Option, option), queue[0], self.scope) else None

    def _report_separated(self, option: Option, word: tree.WrittenWord, queue: deque[tree.Item]) -> None:
        """Report an option that is separated from its value, and read it; ``epochs`` in `patience 5 epochs` too."""
        value = cast(tree.Value, queue.popleft())
        span = word.span.to(value.span)
        if queue and isinstance(queue[0], tree.WrittenWord) and queue[0].text.lower() in foreign_words.NOUNS:
            span = span.to(queue.popleft().span)
        text = respelled(option, value, self.scope) or ""
        message = f'unknown word "{word.text}" on {self.owner}'
        self._fault("unknown-option", word.span, message, help=f"write `{text}`", fix=replacing(span, text))
        self._reread(option, tree.WrittenOption(word, value, span))

    def _joined(self, option: Option | None, item: tree.Value, queue: deque[tree.Item]) -> tree.Value:
        """Return consecutive numbers as the single size that they are meant to be, with a finding."""
        sized = option is not None and option.type in (Type.SHAPE, Type.PER_AXIS, Type.SIZE)
        numbers = [item]
        while sized and queue and is_whole(numbers[-1]):
            if self._is_joining(queue):
                queue.popleft()
            if not is_whole(queue[0]):
                break
            numbers.append(cast(tree.Number, queue.popleft()))
        if len(numbers) == 1:
            return item
        span = numbers[0].span.to(numbers[-1].span)
        texts = [number.text for number in numbers if isinstance(number, tree.Number)]
        size = size_text(texts, is_input=self.owner in ("input", "target"))
        dims = tuple(map(int, size.split("x")))
        self._fault(
            "wrong-type",
            span,
            f"`{self.scope.source.slice(span)}` is one size: join its numbers by x",
            help=f"write `{size}`",
            fix=replacing(span, size),
        )
        return tree.Size(dims, span)

    def _is_joining(self, queue: deque[tree.Item]) -> bool:
        """Return whether the next word is the `x` of `1 x 28 x 28`, which on other lines is an option."""
        word = queue[0]
        joins = isinstance(word, tree.WrittenWord) and word.text in ("x", "X") and "x" not in self.by_short
        return joins and len(queue) > 1 and is_whole(queue[1])

    def _worded(self, word: tree.WrittenWord) -> bool:
        option = self.by_name.get(word.text)
        return option is not None and option.written is Written.WORDED

    def _take(self, option: Option, word: tree.WrittenWord, queue: deque[tree.Item]) -> None:
        if queue and not isinstance(queue[0], tree.WrittenOption | tree.ComparisonSign):
            value = self._joined(option, cast(tree.Value, queue.popleft()), queue)
            self._read(option, value, word.span.to(value.span))
        else:
            self.bound.failed.add(option.name)
            words = option.choices and f"one of {', '.join(option.choices)}"
            self._fault(
                "missing-value",
                word.span,
                f"`{word.text}` is not followed by {words or option.type.value}",
                help=f"write `{example_of(option)}`",
            )

    def _named(self, item: tree.WrittenOption) -> None:
        name = item.name.text
        if name in FUNCTIONS and ACTIVATION.name in self.by_name:
            self._activation_with_parameter(item)
            return
        option = self.by_name.get(name)
        if option is not None and option.written is Written.NAMED:
            self._read(option, item.value, item.span)
        elif option is not None and option.type is Type.FLAG:
            self._flag_with_value(option, item)
        elif name in self.by_short:
            self._read(self.by_short[name], item.value, item.span)
        else:
            self._unknown(item.name, item, "option")

    def _word(self, word: tree.WrittenWord) -> None:
        short = SHORT.match(word.text)
        if self._names_first() or self._is_own_constant(word):
            self._positional(word)
        elif word.text in self.words:
            self._bare(self.words[word.text], word)
        elif short and short[1] in self.by_short:
            self._read(self.by_short[short[1]], short_value(short[2], word.span), word.span)
        elif (self.first is not None and self._first_takes(self.first, word)) or (
            self.rest is not None and word.text in self.scope.constants
        ):
            self._positional(word)
        else:
            self._unknown(word, word, "word")

    def _is_own_constant(self, word: tree.WrittenWord) -> bool:
        """Whether ``word`` stands for the value and is a constant whose name the language reserves."""
        named = word.text in self.scope.constants and self.scope.is_reserved(word.text)
        return named and not self.begun and self.first is not None and self._first_takes(self.first, word)

    def _names_first(self) -> bool:
        """Whether the next word is the name that the line must have, even if it looks like an option."""
        first = self.first
        if first is None or self.begun or first.name in self.bound.spans:
            return False
        return first.type is Type.NAME and first.default is REQUIRED

    def _first_takes(self, first: Option, word: tree.WrittenWord) -> bool:
        if first.type in (Type.NAME, Type.CHOICE, Type.PATH):
            return first.name not in self.bound.spans
        numeric = first.type in (Type.COUNT, Type.NUMBER, Type.SHARE, Type.PER_AXIS, Type.SHAPE)
        if not numeric or self.begun:
            return numeric and self.scope.is_constant(word.text)
        # A word in the position of the value is the value, unless it looks like another word of the line.
        like = None if self.scope.is_constant(word.text) else self._near(word.text)
        is_value = like is None or like in self.scope.constants
        return first.default is REQUIRED and is_value and word.text.lower() not in foreign_words.WORDS

    def _positional(self, item: tree.Value) -> None:
        if self.first is None or self.first.name in self.bound.spans:
            self._leftover(item) if self.rest is None else self._add(self.rest, item)
            return
        if self.begun:
            if isinstance(read(self.first, item, self.scope), Misread):
                self._leftover(item)
                return
            self._late(self.first, item)
        self._read(self.first, item, item.span)


def bind(owner: str, items: Sequence[tree.Item], options: Sequence[Option], scope: Scope) -> LineOptions:
    """Return the values that ``items`` give the ``options`` of ``owner``; report and skip what cannot be read."""
    return _Binder(owner, options, scope).bind(items)
