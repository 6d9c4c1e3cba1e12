"""Settings changed from outside a spec: ``--set train.batch=64``, as edits of its text.

Because the text is edited, the changed spec is checked, shown and kept in the run folder like any other.
"""

import re
from collections.abc import Mapping, Sequence

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.syntax.parser import parse

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}")
BLOCKS = ("train", "require")
"""Statements whose block holds settings."""


class OverrideError(ValueError):
    """An override that names no place of the spec; the message says which and what to write."""


def override(source: Source, values: Mapping[str, str]) -> Source:
    """The spec with each named setting given its value.

    Names are ``data``, ``input`` and the like for a whole statement, ``train.batch`` for a setting, ``train.optimizer.lr``
    for one option of a setting, and ``let.width`` for a constant. What the spec leaves to its default is added. The result
    is a text: whether the value makes sense is for the checker to say. Raises ``OverrideError`` for a name of another form,
    for a spec with syntax errors, and for a setting of a block that the spec has not.
    """
    for name, value in values.items():
        source = _override(source, name, value)
    return source


def _override(source: Source, name: str, value: str) -> Source:
    if not _NAME.fullmatch(name):
        raise OverrideError(f"`{name}` names no setting: write train.batch=64, train.optimizer.lr=1e-4 or let.width=32")
    if not value.strip() or any(mark in value for mark in "\r\n;{}#"):
        raise OverrideError(f"`{value}` is not a value for {name}: it must be one line without braces, `;` or `#`")
    spec, findings = parse(source)
    if findings:
        raise OverrideError(f"{source.path} has syntax errors: correct them before settings are changed")
    first, *rest = name.split(".")
    if first == "let" and len(rest) == 1:
        edit = _constant(spec, rest[0], value, source)
    elif first in BLOCKS and rest:
        edit = _setting(spec, first, rest, value, source)
    elif len(rest) == 1:
        edit = _option(_statement(spec.statements, first, source), rest[0], value)
    elif not rest:
        edit = _replaced(_statement(spec.statements, first, source), value)
    else:
        raise OverrideError(f"`{name}` names no setting: only those of {' and '.join(BLOCKS)} have three parts")
    return Source(apply_edits(source.text, [edit]), source.path)


def _statement(statements: Sequence[tree.Statement], word: str, source: Source) -> tree.Statement:
    for statement in statements:
        if statement.head.text == word:
            return statement
    raise OverrideError(f"{source.path} has no `{word}` statement to change")


def _replaced(statement: tree.Statement, value: str) -> Edit:
    return Edit(statement.span, f"{statement.head.text} {value.strip()}")


def _constant(spec: tree.Spec, constant: str, value: str, source: Source) -> Edit:
    for statement in spec.statements:
        item = statement.items[0] if statement.items else None
        if statement.head.text == "let" and isinstance(item, tree.Option) and item.name.text == constant:
            return Edit(item.span, f"{constant}={value.strip()}")
    raise OverrideError(f"{source.path} defines no constant `{constant}`")


def _setting(spec: tree.Spec, block: str, path: Sequence[str], value: str, source: Source) -> Edit:
    outer = _statement(spec.statements, block, source)
    word, *option = path
    inner = next((statement for statement in outer.block or () if statement.head.text == word), None)
    if inner is not None:
        return _option(inner, option[0], value) if option else _replaced(inner, value)
    if option:
        raise OverrideError(
            f"{source.path} has no `{word}` in `{block}`: set it whole, as in {block}.{word}='adam lr=1e-4'"
        )
    brace = source.text.index("{", outer.span.end)
    return Edit(
        Span(brace + 1, brace + 1),
        f" {word} {value.strip()};" if _one_line(outer, source) else f"\n{word} {value.strip()}",
    )


def _one_line(outer: tree.Statement, source: Source) -> bool:
    brace = source.text.index("{", outer.span.end)
    return not source.text[brace + 1 :].lstrip(" \t").startswith(("\r", "\n", "#"))


def _option(statement: tree.Statement, name: str, value: str) -> Edit:
    spelled = f"{name}={value.strip()}"
    for item in statement.items:
        if isinstance(item, tree.Option) and item.name.text == name:
            return Edit(item.span, spelled)
    return Edit(Span(statement.span.end, statement.span.end), f" {spelled}")
