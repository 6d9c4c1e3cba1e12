"""Mistakes on one line, reported in terms of its own options."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, NamedTuple

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Label
from caedsl.resolve.reading.glued import apart
from caedsl.resolve.reading.line_options import LineOptions
from caedsl.resolve.reading.misreads import called
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.respelling import (
    activation_named,
    bare_words,
    example_of,
    replacing,
    respelled,
    spelled,
    spelling_of,
)
from caedsl.resolve.reading.values import read, short_value
from caedsl.resolve.scope import MOST_CANDIDATES, Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.option import Option, Type, Written

SHORT = re.compile(r"([a-z])(\d+(?:x\d+)*)$")
"""Short option: a letter and its number, or one number for each axis."""


class _WaysOfWriting(NamedTuple):
    """Options of a line, by each way in which the line can set them."""

    by_name: dict[str, Option]
    by_short: dict[str, Option]
    words: dict[str, Option]
    first: Option | None
    rest: Option | None


@lru_cache(maxsize=256)
def _ways_of_writing(options: tuple[Option, ...]) -> _WaysOfWriting:
    return _WaysOfWriting(
        {option.name: option for option in options},
        {option.short: option for option in options if option.short},
        {word: option for option in options for word in bare_words(option)},
        next((option for option in options if option.written is Written.FIRST), None),
        next((option for option in options if option.written is Written.REST), None),
    )


class LineFaults:
    """Options of one line, the values read so far, and the findings about it."""

    def __init__(self, owner: str, options: Sequence[Option], scope: Scope) -> None:
        self.owner = owner
        self.options = options
        self.scope = scope
        self.bound = LineOptions()
        self.guessed: set[str] = set()
        """Options that only a word unknown to the line sets so far; one that is written instead replaces it."""
        self.begun = False
        self.after_lost = False
        """Whether the item before means nothing: what follows it is most likely its value."""
        self.lost = False
        self.items: Sequence[tree.Item] = ()
        self.faults = self.bound.faults
        self.by_name, self.by_short, self.words, self.first, self.rest = _ways_of_writing(tuple(options))

    def _fault(self, name: str, span: Span, message: str, **parts: Any) -> None:
        self.faults.append(name)
        self.scope.report(name, span, message, **parts)

    def _set(self, option: Option, value: Any, span: Span) -> None:
        earlier = self.bound.spans.get(option.name)
        if earlier is not None and option.name not in self.guessed:
            self._fault(
                "duplicate-option",
                span,
                f"{called(option)} is given twice on this line",
                related=(Label(earlier, "first given here"),),
                help="keep one of them",
            )
            return
        self.guessed.discard(option.name)
        self.bound.values[option.name] = value
        self.bound.spans[option.name] = span

    def _flag_with_value(self, option: Option, item: tree.WrittenOption) -> None:
        """Report ``ceil=on``, where a line writes ``ceil`` or nothing; read what it means."""
        text = self.scope.source.slice(item.span)
        value = self.scope.source.slice(item.value.span).lower()
        message = f"`{option.name}` takes no value: writing it turns it on"
        if value in foreign_words.NEGATIVE or value == "0":
            help_line, fix = f"remove `{text}`", None
        else:
            help_line = f"write `{option.name}` alone"
            fix = replacing(item.span, option.name) if value in foreign_words.POSITIVE else None
            self.bound.values[option.name], self.bound.spans[option.name] = True, item.span
        self._fault("unknown-option", item.span, message, help=help_line, fix=fix)

    def _late(self, first: Option, item: tree.Value) -> None:
        """Report a value that must come first but does not; read it anyway."""
        text = self.scope.source.slice(item.span)
        others = (self.scope.source.slice(other.span) for other in self.items if other is not item)
        inside = " ".join((text, *others))
        owner = self.owner.removesuffix(f" {text}")
        why = "" if first.name == owner else f": it is {called(first)} of `{owner}`"
        self._fault(
            "unexpected-value",
            item.span,
            f"`{text}` must come first{why}",
            help=f"write `{owner} {inside}`",
            fix=replacing(self.items[0].span.to(self.items[-1].span), inside),
        )

    def _before(self, item: tree.Item) -> tree.Item | None:
        """Return the item before ``item``, or None if it is the first."""
        return next((one for one, other in pairwise(self.items) if other is item), None)

    def _listed(self) -> str:
        chosen = self.first if self.first is not None and self.first.type is Type.CHOICE else None
        return ", ".join(spelling_of(option) for option in self.options if option is not chosen)

    def _near(self, word: str) -> str | None:
        """Return the option, the word or the constant that is closest to ``word``."""
        names = (option.name for option in self.options if option.written is not Written.FIRST)
        return self.scope.nearest(word, (*names, *self.words, *islice(self.scope.constants, MOST_CANDIDATES)))

    def _meant(self, word: str, item: tree.WrittenOption | tree.WrittenWord) -> tuple[Option | None, str]:
        """Return the option that a misspelt or foreign word stands for, and its spelling in a spec."""
        plain = word.lower()
        if isinstance(item, tree.WrittenWord):
            text = foreign_words.WORDS.get(plain, "")
            named = next((option for option in self.options if option.type is Type.ACTIVATION), None)
            if named is not None and named.written is Written.NAMED and activation_named(word):
                return named, spelled(named, activation_named(word))
            name = text.partition("=")[0]
            option = self.by_name.get(name) or self.words.get(name)
            return option, text if option is not None else ""
        if (
            plain in foreign_words.WORDS or plain in FUNCTIONS or plain == "negative_slope"
        ) and ACTIVATION.name in self.by_name:
            return self.by_name[ACTIVATION.name], self._activation_text(plain, item)
        names = (word, foreign_words.OPTIONS.get(plain), self._near(word))
        option = next((self.by_name[name] for name in names if name in self.by_name), None)
        return option, (respelled(option, item.value, self.scope) or "") if option is not None else ""

    def _meant_short(self, word: tree.WrittenWord) -> tuple[Span, str] | None:
        """Return ``K3``, ``p1`` and ``k3s2`` as the language writes them, with the place; take a single one's value."""
        if words := apart(word.text):
            self.bound.lost = True
            return word.span, words
        match = SHORT.match(word.text.lower())
        if match is None:
            return None
        option = self.by_short.get(match[1]) or self.by_name.get(foreign_words.SHORT_OPTIONS.get(match[1], ""))
        value = short_value(match[2], word.span)
        if (
            option is None
            or option.name in self.bound.spans
            or isinstance(found := read(option, value, self.scope), Misread)
        ):
            return None
        self.bound.values[option.name], self.bound.spans[option.name] = found, word.span
        return word.span, spelled(option, match[2])

    def _activation_text(self, word: str, item: tree.WrittenOption) -> str:
        name = "leaky_relu" if word == "negative_slope" else foreign_words.WORDS.get(word, word)
        value = self.scope.source.slice(item.value.span)
        if name in FUNCTIONS and FUNCTIONS[name].option is None:
            return name if value == "1" else ""  # `swish=1` is `silu`
        return f"{name}={value}" if name in FUNCTIONS else ""

    def _added(self, sum_: tree.Operation, word: tree.WrittenWord) -> None:
        """Report `8 + relu`, which is not a sum."""
        apart = f"{self.scope.source.slice(sum_.left.span)} {word.text}"
        message = f"`{word.text}` is not a number: options of a line are written without `+`"
        help_line = f"write `{apart}`" if self.begun else f"write `{self.owner} {apart}`"
        self._fault("unexpected-value", sum_.span, message, help=help_line, fix=replacing(sum_.span, apart))

    def _help_for(self, option: Option | None, word: str = "") -> str:
        """Return the help for a word that is not an option: the closest option, or all of them."""
        if word.lower() in foreign_words.NEGATIVE and not self.begun and self.first is None:
            return "remove the line"
        if len(self.options) == 1 and self.options[0].written is Written.FIRST:
            if self.options[0].name in self.bound.spans:
                return f"delete `{word}`"
            return f"write `{self.owner} {example_of(self.options[0], self.owner)}`"
        if option is None or option.name in self.bound.spans:
            return f"options of `{self.owner}` are {self._listed()}"
        if option.type is Type.FLAG:
            return f"write `{option.name}` alone"
        if option.type is Type.ACTIVATION and option.written is Written.BARE:
            return "write the activation alone: `relu`, or `leaky_relu=0.1` for one with a number"
        return f"did you mean `{spelling_of(option)}`, such as `{example_of(option)}`?"

    def _help_without(self, option: Option, word: str) -> str:
        """Return the help for a word of the language, or a yes or no, instead of a number."""
        line = f"write `{self.owner} {example_of(option, self.owner)}`"
        if self.owner == option.name and word.lower() in foreign_words.NEGATIVE:
            return f"{line}, or remove the line"
        return line
