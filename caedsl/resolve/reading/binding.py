"""Binding of a line's items to the options that its word declares; every statement is read this way."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.line_faults import SHORT, LineFaults
from caedsl.resolve.reading.line_options import LineOptions
from caedsl.resolve.reading.quantities import Misread, is_no_constant, report_misread
from caedsl.resolve.reading.respelling import (
    EXAMPLES,
    example_of,
    meant_value,
    replacing,
    respelled,
    spelled,
)
from caedsl.resolve.reading.values import is_whole, read, short_value
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, LINEAR, Activation, bare
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

_MOST_ITEMS = 200


class _Binder(LineFaults):
    """Reader of one line, which assigns each item to an option or reports it."""

    def bind(self, items: Sequence[tree.Item]) -> LineOptions:
        self.items = items
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
            match item:
                case tree.WrittenOption() | tree.WrittenWord() if name := self._called_activation(item, queue):
                    self._join_activation(
                        name, item.span.to(queue[0].span), cast(tree.Parenthesised, queue.popleft()).value
                    )
                case tree.WrittenOption():
                    self._named(item)
                case tree.WrittenWord() if self._worded(item):
                    self._take(self.by_name[item.text], item, queue)
                case tree.WrittenWord() if self._numbered(item, queue):
                    value = cast(tree.Value, queue.popleft())
                    self._join_activation(item.text, item.span.to(value.span), value)
                case tree.WrittenWord() if (option := self._separated_option(item, queue)) is not None:
                    self._report_separated(option, item, cast(tree.Value, queue.popleft()))
                case tree.WrittenWord():
                    self._word(item)
                case tree.ComparisonSign():
                    self._leftover(item)
                case tree.Operation(operator="+", right=tree.WrittenWord() as word) if word.text in self.words:
                    self._added(item, word)
                    queue.extendleft((word, item.left))
                    continue
                case _:
                    self._positional(self._joined(self.first, item, queue))
            self.begun = True
        return self.bound

    def _separated_option(self, word: tree.WrittenWord, queue: deque[tree.Item]) -> Option | None:
        """Return the option that ``word`` names if its value follows without an ``=``, as in ``dropout 0.1``."""
        if word.text in self.words or not queue or isinstance(queue[0], tree.WrittenOption | tree.ComparisonSign):
            return None
        meant = self.by_name.get(foreign_words.OPTIONS.get(word.text.lower(), ""))
        option = self.by_name.get(word.text) or meant or self.by_short.get(word.text)
        named = option is not None and option.written in (Written.NAMED, Written.SHORT, Written.WORDED)
        return option if named and respelled(cast(Option, option), queue[0], self.scope) else None

    def _report_separated(self, option: Option, word: tree.WrittenWord, value: tree.Value) -> None:
        """Report an option that is separated from its value, and read it."""
        span = word.span.to(value.span)
        text = respelled(option, value, self.scope) or ""
        message = f'unknown word "{word.text}" on {self.owner}'
        self._fault("unknown-option", word.span, message, help=f"write `{text}`", fix=replacing(span, text))
        self._reread(option, tree.WrittenOption(word, value, span))

    def _joined(self, option: Option | None, item: tree.Value, queue: deque[tree.Item]) -> tree.Value:
        """Return consecutive numbers as the single size that they are meant to be, with a finding."""
        sized = option is not None and option.type in (Type.SHAPE, Type.PER_AXIS, Type.SIZE)
        numbers = [item]
        while sized and queue and is_whole(numbers[-1]) and is_whole(queue[0]):
            numbers.append(cast(tree.Number, queue.popleft()))
        if len(numbers) == 1:
            return item
        span = numbers[0].span.to(numbers[-1].span)
        dims = tuple(int(number.text) for number in numbers if isinstance(number, tree.Number))
        size = "x".join(map(str, dims))
        self._fault(
            "wrong-type",
            span,
            f"`{self.scope.source.slice(span)}` is one size: join its numbers by x",
            help=f"write `{size}`",
            fix=replacing(span, size),
        )
        return tree.Size(dims, span)

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

    def _activation_with_parameter(self, item: tree.WrittenOption) -> None:
        name = item.name.text
        option = FUNCTIONS[name].option
        if option is None:
            self._fault(
                "unknown-option",
                item.span,
                f"`{item.name.text}` takes no number",
                help=f"write `{item.name.text}` alone",
            )
            self._set(self.by_name[ACTIVATION.name], Activation(item.name.text), item.span)
            return
        value = read(option._replace(name=name), item.value, self.scope)
        if isinstance(value, Misread):
            self.faults.append(value.name)
            report_misread(value, self.scope)
            value = None
        known = value is not None or option.default is not REQUIRED
        self._set(self.by_name[ACTIVATION.name], Activation(name, value) if known else LINEAR, item.span)

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

    def _bare(self, option: Option, word: tree.WrittenWord) -> None:
        if option.type is Type.FLAG:
            self._set(option, True, word.span)
        elif option.type is Type.ACTIVATION and word.text not in bare():
            self._set(option, LINEAR, word.span)
            needed = cast(Option, FUNCTIONS[word.text].option)
            example = spelled(needed._replace(name=word.text), EXAMPLES[needed.name])
            message = f"`{word.text}` needs a value: the {needed.about}"
            self.scope.report("missing-value", word.span, message, help=f"write `{example}`")
        elif option.type is Type.ACTIVATION:
            self._set(option, Activation(word.text), word.span)
        else:
            self._set(option, word.text, word.span)

    def _positional(self, item: tree.Value) -> None:
        if self.first is None or self.first.name in self.bound.spans:
            self._leftover(item) if self.rest is None else self._add(self.rest, item)
            return
        if self.begun:
            self._late(self.first, item)
        self._read(self.first, item, item.span)

    def _add(self, rest: Option, item: tree.Value) -> None:
        """Read one more of the values without a name; each must be greater than the one before."""
        value = read(rest, item, self.scope)
        values = self.bound.values.get(rest.name, ())
        if isinstance(value, Misread):
            self._misread(value, rest, item)
            self.bound.failed.add(rest.name)
        elif values and value <= values[-1]:
            text = self.scope.source.slice(item.span)
            message = f"`{text}` must be greater than `{values[-1]}` before it"
            self._fault("out-of-domain", item.span, message, help=f"write the {rest.name} in ascending order")
        else:
            self.bound.values[rest.name] = (*values, value)
            self.bound.spans[rest.name] = self.bound.spans.get(rest.name, item.span).to(item.span)

    def _unknown(self, word: tree.WrittenWord, item: tree.WrittenOption | tree.WrittenWord, what: str) -> None:
        """Report an unknown word of the line; read what it most likely means."""
        message = f'unknown {what} "{word.text}" on {self.owner}'
        first = self.first
        if isinstance(item, tree.WrittenOption) and first is not None and first.name == self.owner:
            # The only value of a setting: `clip norm=1`.
            text = None if self.begun or word.text in self.by_name else respelled(first, item.value, self.scope)
            if text is not None:
                self._fault(
                    "unknown-option",
                    word.span,
                    message,
                    help=f"write `{self.owner} {text}`",
                    fix=replacing(item.span, text),
                )
                self._read(first, item.value, item.span)
                return
        # A word of another library without an equivalent option.
        note = foreign_words.OPTION_NOTES.get(word.text.lower())
        if note is not None:
            self._fault("unknown-option", word.span, message, help=note)
            self.bound.lost = self.lost = True
            return
        # A short option in another spelling: `K3`, `p1`.
        option, text = self._meant(word.text, item)
        if isinstance(item, tree.WrittenWord) and (short := self._meant_short(word)) is not None:
            self._fault("unknown-option", word.span, message, help=f"write `{short[1]}`", fix=replacing(*short))
            return
        # A misspelt option, or one of another library, with the author's value.
        if option is not None and text:
            shown = f"{self.owner} {text}" if option.written is Written.FIRST else text
            self._fault("unknown-option", word.span, message, help=f"write `{shown}`", fix=replacing(item.span, text))
            if isinstance(item, tree.WrittenOption):
                self._reread(option, item)
            return
        # A misspelt word that needs no value, such as an activation.
        near = self._near(word.text)
        if option is None and near is not None and isinstance(item, tree.WrittenWord) and near not in self.by_name:
            self._fault("unknown-option", word.span, message, meant=near)
            if near in self.words and self.words[near].name not in self.bound.spans:
                self._bare(self.words[near], tree.WrittenWord(near, word.span))
            return
        # A misspelt activation with a number.
        if isinstance(item, tree.WrittenOption) and self._takes_value(near):
            self._fault("unknown-option", word.span, message, meant=near)
            self._activation_with_parameter(replace(item, name=tree.WrittenWord(near or "", word.span)))
            return
        # Nothing that could be read: show the closest option, or all.
        option = option or self.by_name.get(near or word.text) or self.by_name.get(word.text)
        if not self.after_lost:
            help_line = self._help_for(option, word.text)
            if near is None and self._second_name(item):
                line = foreign_words.SECOND_NAMES.get(self.owner, self.owner)
                help_line = f"`{self.owner}` reads one output: write `{line} {word.text}` as a line of its own"
            self._fault("unknown-option", word.span, message, help=help_line)
        self.bound.lost = self.lost = True

    def _second_name(self, item: tree.Item) -> bool:
        """Return whether ``item`` follows the name with which this kind of line starts, as in ``concat one two``."""
        return (
            self.begun
            and self.first is not None
            and self.first.type is Type.NAME
            and isinstance(item, tree.WrittenWord)
        )

    def _reread(self, option: Option, item: tree.WrittenOption) -> None:
        """Read the value of an option under another name, if possible."""
        text = self.scope.source.slice(item.value.span)
        meant = meant_value(option, text)
        node = item.value if meant is None else tree.WrittenWord(meant, item.value.span)
        bare = option.type is Type.ACTIVATION and option.written is Written.BARE  # other options keep its name
        value = Activation(meant or text) if bare else read(option, node, self.scope)
        if not isinstance(value, Misread) and option.name not in self.bound.spans:
            self._set(option, value, item.span)

    def _read(self, option: Option, node: tree.Item, span: Span) -> None:
        assert not isinstance(node, tree.WrittenOption | tree.ComparisonSign)
        value = read(option, node, self.scope)
        if isinstance(value, Misread):
            meant = self._misread(value, option, node)
            value = read(option, tree.WrittenWord(meant, node.span), self.scope) if meant else value
        if isinstance(value, Misread):
            self.bound.failed.add(option.name)
            self.bound.spans.setdefault(option.name, span)
        else:
            self._set(option, value, span)

    def _misread(self, misread: Misread, option: Option, node: tree.Value) -> str | None:
        """Report why a value cannot be read; return the word that was probably meant, if there is one."""
        self.faults.append(misread.name)
        meant = meant_value(option, self.scope.source.slice(node.span))
        if meant is not None:
            misread = misread._replace(meant=meant)
        elif misread.name == "unknown-name" and option.written is Written.FIRST:
            if is_no_constant(misread.word, self.scope):
                misread = misread._replace(help=self._help_without(option, misread.word))
            elif self.owner == option.name and misread.word and not misread.meant:
                example = example_of(option, self.owner)
                help_line = f"write `{self.owner} {example}`, or define `{misread.word}` above it by `let`"
                misread = misread._replace(help=help_line)
        report_misread(misread, self.scope)
        return misread.meant


def bind(owner: str, items: Sequence[tree.Item], options: Sequence[Option], scope: Scope) -> LineOptions:
    """Return the values that ``items`` give the ``options`` of ``owner``; report and skip what cannot be read."""
    return _Binder(owner, options, scope).bind(items)
