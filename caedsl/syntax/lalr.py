"""Parsing of a text without syntax errors with Lark's tables, but without its loop.

That loop counts lines, keeps what its errors need, and calls a function for each of the six rules between a word and an
item; this one takes less than half the time. A text with an error is read again, statement by statement.
"""

from collections.abc import Callable
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
        states: list[int] = [self._start]
        values: list[Any] = []
        for found in self._pattern.finditer(text):
            kind: str = found.lastgroup
            if kind not in self._ignored:
                after = self._after_rules(kind, states, values)
                if after is None:
                    return None
                states.append(after)
                values.append(LexedToken(found.group(), *found.span()))
        self._after_rules(_END_OF_TEXT, states, values)
        return values[0] if states[-1] == self._end else None

    def _after_rules(self, kind: str, states: list[int], values: list[Any]) -> int | None:
        """Apply the rules that end before a token, and return the state after it; None if it does not fit."""
        actions = self._actions
        while True:
            action = actions[states[-1]].get(kind)
            if type(action) is not _Reduction:
                return action  # type: ignore[return-value]  # what is no rule is a state
            size, origin, build = action
            if build is not None:
                values[len(values) - size :] = [build(values[len(values) - size :])]
            del states[len(states) - size :]
            states.append(actions[states[-1]][origin])  # type: ignore[arg-type]  # the state after a rule


def _reduction(rule: Any, build: Callable[[list[Any]], Any]) -> _Reduction:
    passes = isinstance(build, ExpandSingleChild) and len(rule.expansion) == 1
    return _Reduction(len(rule.expansion), rule.origin.name, None if passes else build)
