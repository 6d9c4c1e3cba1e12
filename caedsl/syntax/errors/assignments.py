"""Explanations for a colon or an equals sign between a word and its value: ``conv: 64``, ``batch = 128``."""

import re

from lark import Token

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding, Fix
from caedsl.diagnostics.foreign_layers import is_layer
from caedsl.source import Span
from caedsl.syntax.errors.call_lines import line_of_call
from caedsl.syntax.errors.separators import blank_after
from caedsl.syntax.errors.wording import as_spec, candidate_fix, error, input_size, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import BLOCKS, HOLDERS, QUANTITIES, STATEMENTS
from caedsl.syntax.tokens import span_of

_NAMED_BLOCKS = ("block", "stage", "repeat", "residual")
_WITH_A_WORD = frozenset(STATEMENTS) - {*BLOCKS, "let", "allow"} | {"loss", "optimizer", "schedule"}
"""Statements and settings whose value may begin with a word."""


def colon(fault: Fault) -> Finding | None:
    """Explain ``conv: 64``, ``kernel: 3`` and ``encoder:``."""
    found, before = fault.found, fault.before
    if found != ":" or before is None:
        return None
    span = span_of(found)
    following = fault.tokens[fault.place + 1] if fault.place + 1 < len(fault.tokens) else None
    delete = candidate_fix("delete the colon", Edit(span, "" if blank_after(fault, found) else " "))
    if following is None:
        return _colon_at_end(fault, found, delete)
    if following == "=":
        fix = candidate_fix("delete the colon", Edit(span, ""))
        return error("`:=` is not an assignment: values follow one `=`", span, help="write `=`", fix=fix)
    if before.type != "NAME" and fault.place != 1:
        return error("`:` has no meaning in a spec", span, help="write options as name=value: `l2=1e-3`")
    if fault.place == 1:
        return _colon_after_word(fault, before, found, delete)
    if fault.tokens[0] == "block" and fault.place == 2:
        message = f"there is a colon after `{before}`, but a space separates a block from its parameters"
        return error(message, span, help="delete the colon", fix=delete)
    if before == "extends":
        return error(f"there is a colon after `{before}`, but a space precedes the path", span, fix=delete)
    end = span_of(following).start
    if fault.tokens[fault.place - 2] == "=" and before in foreign_words.SPARSE_CODES:
        name = fault.tokens[fault.place - 3]
        message = f"`{name}={before}:` is not an option: each way to make a code sparse has its own"
        line = foreign_words.SPARSE_CODES[before].format(following)
        span = span_of(name).to(span_of(following))
        return error(message, span, help=f"write `{line}`", fix=candidate_fix(f"write `{line}`", Edit(span, line)))
    return error(
        f"there is a colon between `{before}` and its value, but options are written with `=`",
        span,
        help=f"write `{before}={following}`",
        fix=candidate_fix("replace the colon by `=`", Edit(Span(span_of(before).end, end), "=")),
    )


def _colon_at_end(fault: Fault, sign: Token, delete: Fix) -> Finding:
    """Explain ``encoder:`` and ``conv 64 relu:``."""
    if fault.place > 1 and fault.tokens[0] not in (*HOLDERS, *_NAMED_BLOCKS):
        return error("a colon has no meaning at the end of a line", span_of(sign), help="delete the colon", fix=delete)
    return error(
        "a colon does not open a block; a brace does",
        span_of(sign),
        help="replace the colon by `{`, and write `}` after the last line of the block",
        fix=delete if fault.opens_block else None,
    )


def _colon_after_word(fault: Fault, word: Token, sign: Token, delete: Fix) -> Finding:
    """Explain ``conv: 64``, ``width: 8`` and ``optimizer: adam, lr: 1e-3``."""
    if constant := _constant(fault, word):
        return _without_let(constant, word, sign)
    span = span_of(sign)
    message = f"there is a colon after `{word}`, but a space separates a word from its values"
    value = fault.text[span.end : fault.span.end].strip()
    if _opens_block(word, value):
        return _brace(word, sign)
    if lines := _lines_of_list(word, value):
        return error(message, span, help=lines)
    if is_layer(value.partition(" ")[0]) and not is_layer(word) and word not in (*STATEMENTS, *_WITH_A_WORD):
        edit = Edit(Span(span_of(word).start, span_of(fault.tokens[2]).start), "")
        return error("lines have no names before them", span, fix=candidate_fix(f"write `{value}`", edit))
    if "," in value and ":" in value:
        options = re.sub(r"(\w)[ \t]*:[ \t]*", r"\1=", re.sub(r",[ \t]*", " ", value))
        return error(message, span, help=f"write `{word} {options}`")
    line = line_of_assignment(word, value)
    if line != f"{word} {value}" and not (fault.opens_block and word in HOLDERS):
        return error(message, span, help=f"write `{line}`")
    return error(message, span, help="delete the colon", fix=delete)


def equals(fault: Fault) -> Finding | None:
    """Explain ``kernel == 3`` and ``batch = 128``."""
    found, before = fault.found, fault.before
    if found != "=" or before is None or fault.parenthesis is not None:
        return None
    if before == "=":
        span = span_of(before).to(span_of(found))
        fix = candidate_fix("write `=`", Edit(span, "="))
        return error("`==` is not an assignment: options are written with one `=`", span, help="write `=`", fix=fix)
    if fault.place == 1:
        return _assignment(fault, before, found)
    return error(
        f"there is a `=` after {quoted(before)}, which is not the name of an option",
        span_of(found),
        help="write options as name=value: `l2=1e-3`",
    )


def _assignment(fault: Fault, name: Token, sign: Token) -> Finding:
    """Explain ``batch = 128`` and ``x = conv 64``."""
    value = fault.text[span_of(sign).start : fault.span.end].strip("= \t") or "…"
    rest = fault.tokens[fault.place + 1 :]
    if (fault.opens_block and not rest) or _opens_block(name, value):
        return _brace(name, sign)
    line = line_of_assignment(name, value)
    if lines := _lines_of_list(name, value):
        return error(f"`{name}` is a list, but each layer has a line", span_of(sign), help=lines)
    message = f"there is a `=` after `{name}`, but a space separates a statement from its value"
    if name in (*HOLDERS, *_WITH_A_WORD):
        return error(message, span_of(sign), help=f"write `{line}`")
    if len(rest) > 1 and rest[0].type == "NAME":
        message = f"`{name} =` gives this line a name, but each line simply takes the output of the line before"
        span = span_of(name).to(span_of(sign))
        return error(message, span, help=f"write {as_spec(line_of_call(value) or value)}")
    if constant := _constant(fault, name):
        return _without_let(constant, name, sign)
    if name == "let":
        return error("`let` names a constant before its value", span_of(sign), help=f"write `let width = {value}`")
    may_define = value[:1].isdigit() and not _is_in_block(fault)
    constant = "; a constant is defined by `let width = 32`" if may_define else ""
    return error(message, span_of(sign), help=f"write `{line}`{constant}")


def _constant(fault: Fault, name: Token) -> str:
    """Return the constant that ``width = 8`` and ``letwidth = 8`` define if a line uses it, or an empty text."""
    if _is_in_block(fault) or name in (*HOLDERS, *_WITH_A_WORD):
        return ""
    glued = _GLUED_LET.fullmatch(name)
    words = (name, glued[1] if glued else name)
    return next((word for word in words if re.search(rf"\w[ =]{word}(?![\w.]|[ \t]*[=:])", fault.text)), "")


def _is_in_block(fault: Fault) -> bool:
    """Return whether the statement is inside braces, where no constant is defined."""
    before = fault.text[: fault.span.start]
    return before.count("{") > before.count("}")


def _without_let(constant: str, name: Token, sign: Token) -> Finding:
    """Explain ``width = 8`` and ``letwidth = 8``, a constant without its `let` or the space after it."""
    edits = [Edit(span_of(name), f"let {constant}")]
    if sign == ":":
        edits.append(Edit(span_of(sign), " ="))
    message = f"`{name}` is not a statement: a constant is defined by `let`, a space and its name"
    return error(message, span_of(name), fix=candidate_fix(f"write `let {constant}`", *edits))


_GLUED_LET = re.compile(r"let_?([A-Za-z]\w*)")


def _opens_block(name: str, value: str) -> bool:
    """Return whether ``value`` is a list or a call that holds the lines of a block."""
    is_value = name == "bottleneck" or value.startswith("mirror")
    return name in HOLDERS and not is_value and any(mark in value for mark in "[(")


def _brace(name: str, sign: Token) -> Finding:
    """Explain ``encoder = {`` and ``encoder = [``."""
    message = f"there is a `{sign}` after `{name}`, but a brace opens its block"
    help_line = f"write `{name} {{`, one layer or setting per line, and then `}}`"
    return error(message, span_of(sign), help=help_line)


def _lines_of_list(name: str, value: str) -> str:
    """Return the lines of ``layers: [32, 64]`` and ``layers: [conv 32, relu]``, or an empty text for another name."""
    parts = [part.strip(" \t\r\n\"'") for part in value.strip("()[] \t\r\n").split(",")]
    if foreign_words.plain_setting(name) not in foreign_words.LISTS or not all(parts):
        return ""
    lines = [f"conv {part} relu" if part.isdecimal() else line_of_call(f"{part})") or part for part in parts[:3]]
    listed = ", ".join(f"`{line}`" for line in lines if not line[0].isdecimal())
    return f"write one layer per line in the braces of `encoder`: {listed}"


def line_of_assignment(name: str, value: str) -> str:
    """Return the line of a spec that gives ``name`` its ``value``, under the language's own names."""
    if "." in name:  # in a sweep, where values are separated by spaces
        value = " ".join(re.sub(r"[\[\](),]", " ", value).split())
    if name in QUANTITIES and value[:1].isdigit() and ".." not in value:
        return f"{name} < {value}"
    value = value if name == "data" else re.sub(r"^(['\"])(\w+)\1$", r"\2", value)
    if name == "decoder" and value.startswith("mirror"):
        return "decoder mirror"
    if name in ("input", "target", "output") or "shape" in name:
        value = input_size(value) or value
    line = foreign_words.SETTINGS.get(foreign_words.plain_setting(name))
    if line is None and name not in foreign_words.OPTIONS:
        line = foreign_words.STATEMENT_LINES.get(name)
    if line is not None and not line[0].startswith("loss"):
        is_switch = value.lower() in (*foreign_words.POSITIVE, *foreign_words.NEGATIVE)
        return line[0].format(line[1] if is_switch else value)
    if name == "bottleneck" and value.isdecimal():  # a number alone would assert a shape
        return f"bottleneck dense {value}"
    if name == "loss" or line is not None:
        word = value.removesuffix("()")
        plain = foreign_words.plain_loss(word)
        return f"loss {foreign_words.LOSSES.get(plain, value if word == value else plain)}"
    if name in HOLDERS and BLOCKS[name]:
        is_switch = value.lower() in (*foreign_words.POSITIVE, *foreign_words.NEGATIVE)
        return f"{name} {{ {'epochs 20' if is_switch and name == 'train' else value} }}"
    return f"{name} {value}"
