"""Parsing with Lark's tables, but without its loop.

That loop counts lines, keeps what its errors need, and calls a function for each of the six rules between a word and an
item; this one follows such a chain of rules once per grammar, and takes a third of the time. A text with an error is
read again, statement by statement.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lark import Lark, Token
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

_END = ("$END", None)
"""Type and token of the end of the text."""


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

    def __init__(self, grammar: Lark) -> None:
        frontend: Any = grammar.parser
        parser, lexer = frontend.parser.parser, frontend.lexer
        tables = parser.parse_table
        self._starts: dict[str, int] = tables.start_states
        self._ends: dict[str, int] = tables.end_states
        (self._pattern,) = lexer.scanner._mres
        self._ignored: frozenset[str] = lexer.ignore_types
        reductions = {rule: _reduction(rule, build) for rule, build in parser.callbacks.items()}
        self._actions: dict[int, dict[str, int | _Reduction]] = {
            state: {name: arg if action is Shift else reductions[arg] for name, (action, arg) in actions.items()}
            for state, actions in tables.states.items()
        }
        self._settled: dict[tuple[int, str, str], int] = {}

    def parse(self, text: str, start: int = 0) -> Any:
        """Return the tree of ``text`` from ``start`` on, or None if it has a syntax error."""
        tree, _ = self._read(self._lexed(text, start), "spec")
        return tree

    def parse_statement(self, tokens: Sequence[Token]) -> tuple[Any, int]:
        """Return the statement in ``tokens``, which has no block, and the number of tokens.

        If there is an error, return None and the index of the first token that does not fit, or the number of tokens if
        the end does not.
        """
        return self._read((*((token.type, token) for token in tokens), _END), "head")

    def tokens(self, text: str) -> list[Token]:
        """Return all tokens of ``text``, including line ends."""
        return [
            Token(kind, token.value, token.start_pos, end_pos=token.end_pos)
            for kind, token in self._lexed(text)
            if token is not None
        ]

    def _read(self, tokens: Iterable[tuple[str, Any]], start: str) -> tuple[Any, int]:
        """Return the tree of ``tokens``, or None if there is an error, and the index of the last token read."""
        actions, settled = self._actions, self._settled
        states: list[Any] = [self._starts[start]]
        values: list[Any] = []
        index = 0
        for index, (kind, token) in enumerate(tokens):  # noqa: B007
            while type(action := actions[states[-1]].get(kind)) is _Reduction:
                size, origin, build = action
                if build is not None:
                    first = len(values) - size
                    values[first:] = (build(values[first:]),)
                del states[len(states) - size :]
                place = states[-1], origin, kind
                if place not in settled:
                    settled[place] = self._settle(*place)
                states.append(settled[place])
            if action is None:
                break  # an error, or the end
            states.append(action)
            values.append(token)
        return values[0] if states[-1] == self._ends[start] else None, index

    def _settle(self, below: int, origin: str, kind: str) -> int:
        """Return the state after a rule above the state ``below``, and after all that only rename its value.

        Such rules lead from a number to an item, through a product and a sum; ``kind`` is the token that follows.
        """
        state: Any = self._actions[below][origin]
        while (
            type(action := self._actions[state].get(kind)) is _Reduction and action.size == 1 and action.build is None
        ):
            state = self._actions[below][action.origin]
        return state  # type: ignore[no-any-return]

    def _lexed(self, text: str, start: int = 0) -> Iterator[tuple[str, LexedToken | None]]:
        """Yield the type and the token of everything but spaces and comments, and then the end of the text."""
        ignored, pattern = self._ignored, self._pattern
        for found in pattern.finditer(text, start):
            kind = found.lastgroup
            if kind not in ignored:
                yield kind, LexedToken(found.group(), *found.span())
        yield _END


def _reduction(rule: Any, build: Callable[[list[Any]], Any]) -> _Reduction:
    passes = isinstance(build, ExpandSingleChild) and len(rule.expansion) == 1
    return _Reduction(len(rule.expansion), rule.origin.name, None if passes else build)
