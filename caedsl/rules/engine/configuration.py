"""Settings in ``[tool.caedsl]`` of pyproject.toml, and the words that select rules there and on the command line."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from caedsl.diagnostics import FORMATS
from caedsl.rules.engine import catalogue
from caedsl.syntax.reading import read_regular

FILE = "pyproject.toml"
_TABLE = "tool.caedsl"
_NAMING = re.compile(rb"^[^#\n]*tool[^\n]*caedsl|^\s*\[[\s\"']*tool[\s\"']*\]", re.MULTILINE)
"""Parse only files that contain this: to parse an unrelated file takes longer than to check a spec."""

_PREFIX = "CAE"
_MOST_SHOWN = 60
_MOST_BYTES = 1 << 22


class ConfigurationError(ValueError):
    """Invalid setting. The message names the place, the value and the remedy."""


class Configuration(NamedTuple):
    """Settings of a project; None or empty if its pyproject.toml has no such setting.

    ``select`` and ``ignore`` are names of rules. ``exclude`` are patterns of paths relative to ``folder``, the folder
    of the file.
    """

    folder: str = ""
    select: frozenset[str] | None = None
    ignore: frozenset[str] | None = None
    strict: bool | None = None
    output_format: str | None = None
    exclude: tuple[str, ...] = ()

    def excludes(self, path: str) -> bool:
        """Return whether a pattern of ``exclude`` matches the path, a folder above it, or one of their names."""
        if not self.exclude:
            return False
        from fnmatch import fnmatchcase

        parts = os.path.relpath(path, self.folder).replace(os.sep, "/").split("/")
        names = [*parts, *("/".join(parts[:count]) for count in range(2, len(parts) + 1))]
        return any(fnmatchcase(name, pattern.rstrip("/")) for pattern in self.exclude for name in names)


def read_configuration(path: str) -> Configuration:
    """Return the settings for ``path``, from the nearest pyproject.toml above it that has a ``[tool.caedsl]`` table.

    Raise ``ConfigurationError`` if a setting is invalid.
    """
    folder = os.path.abspath(path)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while True:
        file = os.path.join(folder, FILE)
        if os.path.isfile(file) and (table := _table(file)) is not None:
            return _configuration(table, folder, os.path.relpath(file))
        if folder == os.path.dirname(folder):
            return Configuration()
        folder = os.path.dirname(folder)


def _table(file: str) -> Mapping[str, Any] | None:
    """Return the table ``[tool.caedsl]`` of ``file``; do not parse a file that does not mention it."""
    shown = os.path.relpath(file)
    try:
        data = read_regular(file, _MOST_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"{shown}: the file cannot be read ({error.strerror}); change its permissions"
        ) from None
    if not _NAMING.search(data.replace(b"\0", b"")):  # remove zeros, so that the name is also found in UTF-16
        return None
    import tomllib

    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # an integer with thousands of digits raises a plain ValueError
        raise ConfigurationError(f"{shown}: invalid TOML ({error}); correct the file") from None
    tool = tables.get("tool")
    table = tool.get("caedsl") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{shown}: `{_TABLE}` is {_shown(table)}, but must be a table; write `[{_TABLE}]`")
    return table


def _configuration(table: Mapping[str, Any], folder: str, file: str) -> Configuration:
    readers: dict[str, Callable[[object, str], object]] = {
        "select": _rules,
        "ignore": _rules,
        "strict": _switch,
        "output-format": output_format,
        "exclude": _texts,
    }
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in readers:
            raise ConfigurationError(f"{file}: `{_TABLE}` has no key `{key}`; {_suggest(key, readers)}")
        values[key.replace("-", "_")] = readers[key](value, f"{file}: `{key}`")
    return Configuration(folder, **values)


def output_format(value: object, place: str) -> str:
    """Return ``value`` as the name of an output format; an error message calls its place ``place``."""
    if isinstance(value, str) and value in FORMATS:
        return value
    raise ConfigurationError(f"{place} is {_shown(value)}; {_suggest(value, FORMATS)}")


def rule_names(words: Iterable[str], place: str) -> frozenset[str]:
    """Return the names of the rules that ``words`` select.

    A word is the name or the code of a rule, the beginning of a code (``CAE4``), a family (``shapes``) or ``all``.
    """
    return frozenset(name for word in words for name in _chosen(word.strip(), place))


def _chosen(word: str, place: str) -> Sequence[str]:
    if word == "all":
        return catalogue.all_names()
    if word in catalogue.FAMILIES:
        return catalogue.names(word)
    if word in catalogue.all_names():
        return [word]
    by_code = [known.rule.name for known in catalogue.every() if known.rule.code.startswith(word.upper())]
    if by_code and word[: len(_PREFIX)].upper() == _PREFIX:
        return by_code
    raise ConfigurationError(f'{place} names the rule "{word}", which does not exist; {suggest_rule(word)}')


def suggest_rule(word: str) -> str:
    """Return the suggestion for the name of a rule that does not exist."""
    return _suggest(word, [*catalogue.all_names(), *catalogue.FAMILIES], "`caedsl rule` lists them")


def _suggest(word: object, known: Iterable[str], otherwise: str = "") -> str:
    from caedsl.diagnostics.suggest import did_you_mean

    known = list(known)
    near = did_you_mean(word, known) if isinstance(word, str) else None
    if near:
        return f"did you mean `{near}`?"
    return otherwise or f"write one of {', '.join(f'`{name}`' for name in known)}"


def _rules(value: object, place: str) -> frozenset[str]:
    return rule_names(_texts(value, place), place)


def _texts(value: object, place: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ConfigurationError(f'{place} is {_shown(value)}, but must be a list of strings; write `["…"]`')


def _switch(value: object, place: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigurationError(f"{place} is {_shown(value)}; write `true` or `false`")


def _shown(value: object) -> str:
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    except ValueError:  # Python cannot print an integer of more than 4,300 digits
        return "a number with thousands of digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
