"""Parsing of a text without syntax errors with Lark's tables, but without its loop.

That loop counts lines, keeps what its errors need, and calls a function for each of the six rules between a word and an
item; this one takes less than half the time. A text with an error is read again, statement by statement.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lark import Lark
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

_END_OF_TEXT = "$END"


class LexedToken(NamedTuple):
    """Token with the attributes of Lark's that the tree needs."""

    value: str
    start_pos: int
    end_pos: int


class _Reduction(NamedTuple):
    """Rule to apply to the last ``size`` values; without ``build``, a single value stays as it is."""

    size: int
    origin: str
    build: Callable[[list[Any]], Any] | None


class Automaton:
    """Tables of a grammar: for each state, what each token does, and the state after each rule."""

    def __init__(self, grammar: Lark, start: str) -> None:
        frontend: Any = grammar.parser
        parser, lexer = frontend.parser.parser, frontend.lexer
        tables = parser.parse_table
        self._start: int = tables.start_states[start]
        self._end: int = tables.end_states[start]
        (self._pattern,) = lexer.scanner._mres
        self._ignored: frozenset[str] = lexer.ignore_types
        reductions = {rule: _reduction(rule, build) for rule, build in parser.callbacks.items()}
        self._actions: dict[int, dict[str, int | _Reduction]] = {
            state: {name: arg if action is Shift else reductions[arg] for name, (action, arg) in actions.items()}
            for state, actions in tables.states.items()
        }

    def tree(self, text: str) -> Any:
        """Return the tree of ``text``, or None if it has a syntax error."""
        actions = self._actions
        states: list[Any] = [self._start]
        values: list[Any] = []
        for kind, token in self._lexed(text):
            while type(action := actions[states[-1]].get(kind)) is _Reduction:
                size, origin, build = action
                if build is not None:
                    first = len(values) - size
                    values[first:] = (build(values[first:]),)
                del states[len(states) - size :]
                states.append(actions[states[-1]][origin])
            if action is None:
                break  # an error, or the end
            states.append(action)
            values.append(token)
        return values[0] if states[-1] == self._end else None

    def _lexed(self, text: str) -> Iterator[tuple[str, LexedToken | None]]:
        """Yield the type and the token of everything but spaces and comments, and then the end of the text."""
        ignored, pattern = self._ignored, self._pattern
        for found in pattern.finditer(text):
            kind = found.lastgroup
            if kind not in ignored:
                yield kind, LexedToken(found.group(), *found.span())
        yield _END_OF_TEXT, None


def _reduction(rule: Any, build: Callable[[list[Any]], Any]) -> _Reduction:
    passes = isinstance(build, ExpandSingleChild) and len(rule.expansion) == 1
    return _Reduction(len(rule.expansion), rule.origin.name, None if passes else build)
