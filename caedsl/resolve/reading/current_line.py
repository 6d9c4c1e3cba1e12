"""The line that is being read: its options, those that are set so far, and the findings about it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Label
from caedsl.resolve.reading.line_options import LineOptions
from caedsl.resolve.reading.misreads import called
from caedsl.resolve.reading.respelling import spelling_of
from caedsl.resolve.scope import MOST_CANDIDATES, Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.option import Option, Type, Written
from caedsl.vocabulary.spelling import bare_words

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


class CurrentLine:
    """Options of the line that is being read, those that are set so far, and the findings about it.

    The functions of this package share it. `binding` assigns each item of the line to an option, `regrouping` joins
    and splits items, and `line_values` reads values. `unknown_items` and `leftover_values` report what no option takes.
    """

    def __init__(self, owner: str, options: Sequence[Option], scope: Scope) -> None:
        self.owner = owner
        self.options = options
        self.scope = scope
        self.bound = LineOptions()
        self.guessed: set[str] = set()
        """Options that only a word unknown to the line sets so far; one that is written instead replaces it."""
        self.begun = False
        """Whether an item of the line has been read."""
        self.after_lost = False
        """Whether the item before means nothing: what follows it is most likely its value."""
        self.lost = False
        """Whether the item that is being read means nothing."""
        self.ended = False
        """Whether the other items belong to another line, which nothing separates from this one."""
        self.items: Sequence[tree.Item] = ()
        self.by_name, self.by_short, self.words, self.first, self.rest = _ways_of_writing(tuple(options))

    def fault(self, name: str, span: Span, message: str, **parts: Any) -> None:
        """Report a finding about the line; ``parts`` are those of `Scope.report`."""
        self.bound.faults.append(name)
        self.scope.report(name, span, message, **parts)

    def assign(self, option: Option, value: Any, span: Span) -> None:
        """Set an option, or report that it is given twice."""
        earlier = self.bound.spans.get(option.name)
        if earlier is not None and option.name not in self.guessed:
            self.fault(
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

    def before(self, item: tree.Item) -> tree.Item | None:
        """Return the item before ``item``, or None if it is the first."""
        return next((one for one, other in pairwise(self.items) if other is item), None)

    def listed(self) -> str:
        """Return the options of the line for a help, without its own name."""
        chosen = self.first if self.first is not None and self.first.type is Type.CHOICE else None
        return ", ".join(spelling_of(option) for option in self.options if option is not chosen)

    def near(self, word: str) -> str | None:
        """Return the option, the word or the constant that is closest to ``word``."""
        names = (option.name for option in self.options if option.written is not Written.FIRST)
        return self.scope.nearest(word, (*names, *self.words, *islice(self.scope.constants, MOST_CANDIDATES)))

    def takes_value(self, name: str | None) -> bool:
        """Return whether ``name`` is an activation with a value, on a line that may have one."""
        function = FUNCTIONS.get(name or "")
        return function is not None and function.option is not None and ACTIVATION.name in self.by_name
