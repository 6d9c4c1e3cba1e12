"""Tokens of a text that cannot be parsed, with common beginners' mistakes as single tokens."""

import re
from collections.abc import Iterator

from lark import Token

from caedsl.source import Span
from caedsl.syntax.lalr import Automaton

END, OPEN, CLOSE, NAME = "_END", "LBRACE", "RBRACE", "NAME"
FOREIGN_COMMENT = "FOREIGN_COMMENT"
"""Type of a comment of another language: ``// …`` or ``-- …`` up to the end of its line, or ``/* … */``."""
UNCLOSED = "UNCLOSED"
"""Type of a string without its closing quote."""
OVERLONG = "OVERLONG"
"""Type of a word that starts with a digit and has 40 characters or more."""
INVALID = "INVALID"
"""Type of a character that no other token contains."""
NEGATION = "NEGATION"
"""Type of a minus that negates what follows it, such as that of ``a -1``; that of ``a - 1`` is a ``MINUS``."""
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "OVER"})
ATOM_ENDS = frozenset({"NAME", "NUMBER", "SIZE", "STRING", "RPAR", "COMPARE"})
"""Tokens after which an item may end."""

_FOREIGN_COMMENT = re.compile(r"//[^\r\n]*|/\*(?s:.*?)\*/|/\*[^\r\n]*|--[ \t][^\r\n]*")
_FOREIGN_LINE = re.compile(r"/[/*][^\r\n]*|--[ \t][^\r\n]*")
_COMMENT_STARTS = ("OVER", "MINUS", NEGATION)
_LINE_END = re.compile(r"[\r\n]")
_CLOSERS = re.compile(r"[ \t}]*\Z")


def lex_broken(text: str, automaton: Automaton) -> list[Token]:
    """Return the tokens of a text with errors.

    Comments of other languages become comment tokens, and an unclosed string ends before ``}``.
    """
    tokens: list[Token] = []
    done = 0
    last_closing = text.rfind("*/")  # a comment that starts after it ends with its line
    opened = False  # whether a block was opened on the current line
    for token in automaton.tokens(text):
        start, end = span_of(token)
        opened = token.type == OPEN or (opened and not (token.type == END and _LINE_END.search(token)))
        if start < done < end and token.type == END:
            tokens.append(_token(END, text, done, end))  # what a comment of the language leaves of the line end
        elif start < done:
            continue
        elif token.type in _COMMENT_STARTS and (
            comment := (_FOREIGN_COMMENT if start < last_closing else _FOREIGN_LINE).match(text, start)
        ):
            done = comment.end()
            tokens.append(_token(FOREIGN_COMMENT, text, start, done))
        elif token.type == UNCLOSED and opened:
            tokens += _open_string(token, text)
        else:
            tokens.append(token)
    return tokens


def span_of(token: Token) -> Span:
    """Return the span of ``token``."""
    return Span(token.start_pos or 0, token.end_pos or 0)


def _open_string(token: Token, text: str) -> Iterator[Token]:
    """Yield the string and the braces at its end, which close what was opened on its line."""
    start, end = span_of(token)
    closers = _CLOSERS.search(text, start + 1, end)
    string_end = closers.start() if closers else end
    yield _token(UNCLOSED, text, start, string_end)
    for place in range(string_end, end):
        if text[place] == "}":
            yield _token(CLOSE, text, place, place + 1)


def _token(kind: str, text: str, start: int, end: int) -> Token:
    return Token(kind, text[start:end], start_pos=start, end_pos=end)
