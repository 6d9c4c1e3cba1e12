"""Messages about braces, limits, and files that are not text."""

import re
from collections.abc import Sequence

from lark import Token

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label
from caedsl.source import Span
from caedsl.syntax.errors.assignments import line_of_assignment
from caedsl.syntax.errors.separators import space_for
from caedsl.syntax.errors.wording import as_spec, candidate_fix, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import STATEMENTS
from caedsl.syntax.limits import MAX_DEPTH, MAX_OPERATORS
from caedsl.syntax.tokens import NAME, span_of
from caedsl.syntax.tree import Statement, WrittenWord

_COPIES = re.compile(r"x\d+")
_BRACES = "unbalanced-braces"
_DEEP = "nested-too-deeply"


def not_text(text: str) -> Finding:
    """Report binary content."""
    first = Label(Span(0, min(1, len(text))))
    return Finding(
        "not-text", "this is not a text file", first, help="give the path of a `.cae` spec, which is plain UTF-8 text"
    )


def more(count: int, place: Span) -> Finding:
    """Return the final finding if there are more than are shown."""
    message = "1 more syntax error is not shown" if count == 1 else f"{count:,} more syntax errors are not shown"
    return Finding(
        "syntax-error", message, Label(place, "the first one not shown"), help="correct the errors above first"
    )


def unclosed(brace: Token, where_missing: Label) -> Finding:
    """Report a ``{`` without a ``}``."""
    label = Label(span_of(brace), "opened here")
    return Finding(_BRACES, "this `{` is never closed", label, (where_missing,), help="close the block with `}`")


def parameters(fault: Fault) -> Finding | None:
    """Explain ``block down(width, k=3) { ... }``."""
    bracket = fault.parenthesis
    if fault.tokens[0] != "block" or bracket is None or bracket is not fault.tokens[min(2, len(fault.tokens) - 1)]:
        return None
    marks = [token for token in fault.tokens[2:] if token in "(),"]
    return error(
        "parameters follow the name of a block without parentheses and commas",
        span_of(bracket).to(span_of(marks[-1])),
        fix=candidate_fix("remove them", *(space_for(token, fault.text) for token in marks)),
    )


def stray(brace: Token) -> Finding:
    """Report a ``}`` without a ``{``."""
    return Finding(
        _BRACES,
        "this `}` closes nothing",
        Label(span_of(brace)),
        help="delete it, or open the block it should close: `encoder {`",
    )


def unopened(owner: Statement, written: str) -> Finding:
    """Report a block whose ``{`` is missing after what is ``written``."""
    place = Span(owner.span.end, owner.span.end)
    fix = Fix("write `{`", (Edit(place, " {"),), Applicability.SAFE)
    message = f"the block of `{owner.head.text}` has a `}}`, but no `{{`"
    return Finding(_BRACES, message, Label(owner.span), help=f"write {as_spec(written + ' {')}", fix=fix)


def nameless(brace: Token) -> Finding:
    """Report a ``{`` without a word before it."""
    return Finding(
        "syntax-error",
        "this block has no word before its `{`",
        Label(span_of(brace)),
        help="write the block's word on the same line: `encoder {`",
    )


def on_its_own_line(brace: Token, owner: Statement, text: str) -> Finding:
    """Report a ``{`` on a line after the statement it belongs to."""
    place = span_of(brace)
    between = Span(owner.span.end, place.start)
    if "#" in text[between.start : between.end]:
        edits: tuple[Edit, ...] = (Edit(Span(between.start, between.start), " {"), Edit(place, ""))
    else:
        edits = (Edit(between.to(place), " {"),)
    return Finding(
        "syntax-error",
        f"the `{{` of `{owner.head.text}` is on its own line",
        Label(place, "belongs to the line before"),
        (Label(owner.span, "this statement has already ended"),),
        help="write the brace after the statement, on the same line",
        fix=Fix(f"move `{{` after `{owner.head.text}`", edits, Applicability.SAFE),
    )


def after_block(brace: Token, owner: Statement, tokens: Sequence[Token], text: str) -> Finding | None:
    """Explain ``residual { … } dropout=0.1`` and ``train { … } batch 8``: what belongs before or inside a block."""
    word, first = owner.head.text, tokens[0]
    if first == "," or first in STATEMENTS or _COPIES.fullmatch(first):
        return None
    span = span_of(first).to(span_of(tokens[-1]))
    written = text[slice(*span)]
    message = f"{quoted(written)} follows the `}}` of `{word}`"
    if _names_or_counts(owner, first) or (first == "as" and word not in STATEMENTS):
        opening = f"{text[slice(*owner.span)]} {written} {{ … }}"
        return error(message, span, help=f"write {as_spec(opening)}")
    is_option = len(tokens) > 2 and tokens[1] == "="
    if is_option and first == "output":
        line = text[span_of(tokens[1]).end : span.end].strip()
        return error(message, span, help=f"write {as_spec(line)} on the last line inside the braces")
    if is_option and first in _OPTIONS_AND_LAYERS and word not in STATEMENTS:
        line = f"{first} {text[span_of(tokens[1]).end : span.end].strip()}"
        edit = Edit(Span(span_of(brace).end, span.end), f"; {line}")
        help_line = f"write `{line}` as a line of its own"
        return error(message, span, help=help_line, fix=candidate_fix(help_line, edit))
    if word in ("require", "sweep", "train") or (word in STATEMENTS and not is_option and first.type == NAME):
        line = line_of_assignment(first, text[span_of(tokens[1]).end : span.end].strip()) if is_option else written
        return error(message, span, help=f"write {as_spec(line)} inside the braces")
    if is_option or _SHORT.fullmatch(first):
        example = f": {as_spec(f'conv 16 {written}')}" if first in _OPTIONS_OF_LAYERS or not is_option else ""
        return error(message, span, help=f"write it on a line inside the braces{example}")
    return None


def _names_or_counts(owner: Statement, first: Token) -> bool:
    """Return whether a block lacks the name or the count that ``first`` may be."""
    wanted = {"repeat": "NUMBER", "stage": NAME, "block": NAME}.get(owner.head.text)
    return first.type == wanted and not owner.items


_SHORT = re.compile(r"[dgks]\d+(?:x\d+)*")
_OPTIONS_AND_LAYERS = ("dropout", "norm")
"""Options that are also layers."""
_OPTIONS_OF_LAYERS = (*_OPTIONS_AND_LAYERS, "bias", "init", "l1", "l2", "pad")


def glued(brace: Token, word: WrittenWord) -> Finding:
    """Report a statement on the line of the ``}`` before it."""
    end = span_of(brace).end
    if _COPIES.fullmatch(word.text):
        message = f"`{word.text}` follows a `}}`, but repeats one line only"
        help_line = f"write `repeat {word.text[1:]} {{ ... }}` around the block"
        return Finding("syntax-error", message, Label(word.span), help=help_line)
    return Finding(
        "syntax-error",
        f"`{word.text}` follows a `}}` on the same line",
        Label(word.span, "a new statement"),
        help="start a new line, or write `;` after the `}`",
        fix=Fix("write `;` after the `}`", (Edit(Span(end, end), ";"),), Applicability.SAFE),
    )


def deep_block(brace: Token) -> Finding:
    """Report a block that is nested too deeply."""
    return Finding(
        _DEEP,
        f"blocks are nested more than {MAX_DEPTH} deep",
        Label(span_of(brace), f"block number {MAX_DEPTH + 1}"),
        help="close blocks with `}` before opening others",
    )


def long_expression(fault: Fault) -> Finding:
    """Report parentheses that are nested too deeply, or an expression with too many operators."""
    found = fault.found
    assert found is not None
    message = (
        f"parentheses are nested more than {MAX_DEPTH} deep"
        if found == "("
        else f"this statement has more than {MAX_OPERATORS} operators"
    )
    return Finding(_DEEP, message, Label(span_of(found)), help="name parts of the expression: `let NAME = …`")
