"""Settings changed from outside a spec: ``--set train.batch=64``, merged into its tree and written into its text.

Because the text changes, the changed spec is checked, shown and kept in the run folder like any other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from caedsl.diagnostics.suggest import did_you_mean
from caedsl.resolve.merging.declared import declared_options
from caedsl.resolve.merging.extending import expand
from caedsl.resolve.merging.merge import BLOCKS, merge, rewritten
from caedsl.resolve.settings_table import SETTINGS
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.syntax.keywords import STATEMENTS
from caedsl.syntax.parser import parse
from caedsl.syntax.printer import print_head
from caedsl.vocabulary.option import Option, Type, Written

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}")
_TEXT = re.compile(r'"[^"\r\n]*"')
_MARKS = re.compile(r"[\r\n;{}#]")
_EXAMPLES = "write train.batch=64, train.optimizer.lr=1e-4 or let.width=32"


class OverrideError(ValueError):
    """Override that names no place of the spec; the message says which and what to write."""


def override(source: Source, values: Mapping[str, str]) -> Source:
    """Return the spec with each named setting given its value.

    Names are ``data`` or ``input`` for a whole statement, ``train.batch`` for a setting, ``train.optimizer.lr`` for one
    option of a setting, and ``let.width`` for a constant. A setting that the spec does not have is added; a spec that
    extends another is merged first. The checker validates the value. Raise ``OverrideError`` for an invalid name, for a
    spec with syntax errors, and for a statement or a constant that the spec does not have.
    """
    if values:
        source, origins, faults = expand(source)
        if faults:
            raise OverrideError(f"{source.path}: {faults[0].message}: {faults[0].advice}")
        if origins is not None:
            source = Source(source.text, f"{source.path} with its base")  # the lines of the merged text are in no file
    for name, value in values.items():
        spec, findings = parse(source)
        if findings:
            raise OverrideError(f"{source.path} has syntax errors: correct them before you change settings")
        source = rewritten(source, spec, merge(spec, change(spec, name, value.strip(), source.path)[0]))
    return source


def change(spec: tree.Spec, name: str, value: str, path: str) -> tuple[tree.Spec, int]:
    """Return a spec that consists of this one setting, and the place of the value in its text."""
    if not _NAME.fullmatch(name):
        raise OverrideError(f"`{name}` is not the name of a setting: {_EXAMPLES}")
    if not value or _MARKS.search(_TEXT.sub("", value)):
        raise OverrideError(f"`{value}` is not a value for {name}: write one line without braces, `;` or `#`")
    text = _text(spec, name.split("."), value, path)
    changes, findings = parse(Source(text))
    if findings:
        raise OverrideError(f"`{value}` is not a value for {name}: {findings[0].message}")
    return changes, len(text.rstrip(" }")) - len(value)


def _text(spec: tree.Spec, names: Sequence[str], value: str, path: str) -> str:
    first, *rest = names
    if first == "let" and len(rest) == 1:
        if not any(_defines(statement, rest[0]) for statement in spec.statements):
            raise OverrideError(f"{path} defines no constant `{rest[0]}`")
        return f"let {rest[0]} = {value}"
    if first in BLOCKS and rest:
        word, *option = rest
        inside = [line for line in _in_block(spec, first) if line.head.text == word]
        return f"{first} {{ {word} {_setting(first, word, option[0], value, inside) if option else value} }}"
    if first not in STATEMENTS:
        if not rest and any(_defines(statement, first) for statement in spec.statements):
            raise OverrideError(f"`{first}` is a constant: write let.{first}={value}")
        if not rest and (setting := _setting_named(first)):
            raise OverrideError(f"`{first}` is a setting of `train`: write {setting}={value}")
        near = did_you_mean(first, STATEMENTS)
        raise OverrideError(
            f"`{first}` is not a statement of a spec: " + (f"did you mean `{near}`?" if near else _EXAMPLES)
        )
    if len(rest) > 1:
        raise OverrideError(
            f"`{'.'.join(names)}` is not the name of a setting: only those of {' and '.join(BLOCKS)} have three parts"
        )
    written = [statement for statement in spec.statements if statement.head.text == first]
    if rest and not written:
        raise OverrideError(f"{path} has no `{first}` statement to change: set it whole, as in {first}=…")
    return f"{first} {_setting('', first, rest[0], value, written) if rest else value}"


def _setting_named(name: str) -> str:
    """Return ``train.batch`` for ``batch``, ``train.optimizer.lr`` for ``lr``, and an empty text for no setting."""
    if name in SETTINGS:
        return f"train.{name}"
    owners = (word for word in SETTINGS if any(option.name == name for option in declared_options("train", word)))
    owner = next(owners, None)
    return f"train.{owner}.{name}" if owner else ""


def _setting(block: str, word: str, name: str, value: str, written: Sequence[tree.Statement]) -> str:
    """Return the option as a spec writes it; the checker reports one that the statement does not have."""
    option = next((option for option in declared_options(block, word) if option.name == name), None)
    if option is not None and option.written is Written.FIRST and written:
        return _with_first(f"{word}.{name}", value, written[0])
    return f"{name}={value}" if option is None else _spelled(option, value)


def _with_first(name: str, value: str, statement: tree.Statement) -> str:
    """Return the items of the statement with another value for the one without a name."""
    given = tree.WrittenWord(value, Span(0, 0))
    no_values = tree.WrittenOption | tree.WrittenWord
    place = next((place for place, item in enumerate(statement.items) if not isinstance(item, no_values)), None)
    if place is None:
        raise OverrideError(f"`{name}` names no value that is written: set the statement whole")
    items = (*statement.items[:place], given, *statement.items[place + 1 :])
    return print_head(replace(statement, items=items, block=None)).removeprefix(f"{statement.head.text} ")


def _spelled(option: Option, value: str) -> str:
    match option.written:
        case Written.WORDED:
            return f"{option.name} {value}"
        case Written.SHORT:
            return f"{option.short}={value}"
        case Written.BARE if option.type is not Type.FLAG:
            return value
        case Written.FIRST | Written.REST:
            return value
        case _:
            return f"{option.name}={value}"


def _in_block(spec: tree.Spec, word: str) -> list[tree.Statement]:
    return [line for statement in spec.statements if statement.head.text == word for line in statement.block or ()]


def _defines(statement: tree.Statement, constant: str) -> bool:
    match statement:
        case tree.Statement(tree.WrittenWord("let"), (tree.WrittenOption(tree.WrittenWord(name)),)):
            return name == constant
        case _:
            return False
