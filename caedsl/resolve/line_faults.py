"""What is wrong with one line, said in the words of its own options."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from caedsl.resolve.line_options import LineOptions
from caedsl.resolve.respelling import (
    FOREIGN_OPTIONS,
    FOREIGN_WORDS,
    bare_words,
    replacing,
    respelled,
    spelling_of,
)
from caedsl.resolve.scope import MOST_CANDIDATES, Scope
from caedsl.resolve.values import called
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.option import Option, Type, Written


class LineFaults:
    """Options of one line, what has been read of them, and the findings about it."""

    def __init__(self, owner: str, options: Sequence[Option], scope: Scope) -> None:
        self.owner = owner
        self.options = options
        self.scope = scope
        self.bound = LineOptions()
        self.begun = False
        self.items: Sequence[tree.Item] = ()
        self.faults = self.bound.faults
        self.by_name = {option.name: option for option in options}
        self.by_short = {option.short: option for option in options if option.short}
        self.first = next((option for option in options if option.written is Written.FIRST), None)
        self.rest = next((option for option in options if option.written is Written.REST), None)
        self.words = {word: option for option in options for word in bare_words(option)}

    def _fault(self, name: str, span: Span, message: str, **parts: Any) -> None:
        self.faults.append(name)
        self.scope.report(name, span, message, **parts)

    def _late(self, first: Option, item: tree.Value) -> None:
        """Report a value that must come first and does not; it is read all the same."""
        text = self.scope.source.slice(item.span)
        others = (self.scope.source.slice(other.span) for other in self.items if other is not item)
        inside = " ".join((text, *others))
        owner = self.owner.removesuffix(f" {text}")
        self._fault(
            "unexpected-value",
            item.span,
            f"`{text}` must come first: it is {called(first)} of `{owner}`",
            help=f"write `{owner} {inside}`",
            fix=replacing(self.items[0].span.to(self.items[-1].span), inside),
        )

    def _leftover(self, item: tree.Item) -> None:
        if any(name == "unexpected-value" for name in self.faults):
            return  # more of the same
        text = self.scope.source.slice(item.span)
        if self.first is None:
            message = f"`{self.owner}` takes no value alone, and `{text}` is one"
        else:
            message = f"`{self.owner}` takes one value alone, {called(self.first)}; `{text}` is left over"
        windows = [option for option in self.options if option.name in ("kernel", "stride") and option.short]
        if isinstance(item, tree.Range):
            windows = [option for option in self.options if option.written is Written.WORDED]
        elif self.first is None or self.first.type is Type.CHOICE:
            windows = [option for option in self.options if option.written is Written.NAMED][:1]
        values = [
            (option, words)
            for option in windows
            if not isinstance(item, tree.WrittenOption | tree.ComparisonSign)
            and (words := respelled(option, item, self.scope))
        ]
        kinds = {
            option.name: f" for the {option.name}" if option.written is Written.SHORT else "" for option in windows
        }
        examples = " or ".join(f"`{words}`{kinds[option.name]}" for option, words in values)
        fix = replacing(item.span, values[0][1]) if isinstance(item, tree.Size) and values else None
        help_line = f"write {examples}" if examples else f"options of `{self.owner}` are {self._listed()}"
        self._fault("unexpected-value", item.span, message, help=help_line, fix=fix)

    def _listed(self) -> str:
        return ", ".join(spelling_of(option) for option in self.options)

    def _near(self, word: str) -> str | None:
        """Return the option, the word or the constant that ``word`` is nearest to."""
        names = (option.name for option in self.options if option.written is not Written.FIRST)
        return self.scope.nearest(word, (*names, *self.words, *islice(self.scope.constants, MOST_CANDIDATES)))

    def _meant(self, word: str, item: tree.WrittenOption | tree.WrittenWord) -> tuple[Option | None, str]:
        """Return the option that a word of another library, or a misspelt one, stands for, and how a spec writes it."""
        plain = word.lower()
        if isinstance(item, tree.WrittenWord):
            text = FOREIGN_WORDS.get(plain, "")
            name = text.partition("=")[0]
            option = self.by_name.get(name) or self.words.get(name)
            return option, text if option is not None else ""
        if (plain in FOREIGN_WORDS or plain in FUNCTIONS or plain == "negative_slope") and "activation" in self.by_name:
            return self.by_name["activation"], self._activation_text(plain, item)
        name = next((name for name in (word, FOREIGN_OPTIONS.get(plain), self._near(word)) if name in self.by_name), "")
        option = self.by_name.get(name)
        return option, (respelled(option, item.value, self.scope) or "") if option is not None else ""

    def _activation_text(self, word: str, item: tree.WrittenOption) -> str:
        name = "leaky_relu" if word == "negative_slope" else FOREIGN_WORDS.get(word, word)
        value = self.scope.source.slice(item.value.span)
        return f"{name}={value}" if name in FUNCTIONS and FUNCTIONS[name].option is not None else ""
