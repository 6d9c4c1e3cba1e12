"""Catalogue of the rules in the family folders and of the findings that the compiler reports."""

import os
from functools import cache
from importlib import import_module

from caedsl.diagnostics.explanation import explained_names, explanation
from caedsl.rules.engine.rule import Entry, Rule

FAMILIES = (
    "language",
    "shapes",
    "capacity",
    "activation",
    "optimisation",
    "data",
    "regularisation",
    "numerics",
    "cost",
)
"""Families of findings, in the order of their codes; all but the first have a folder of rules."""

COMPILER_FAMILY = "language"
"""Family of the findings about the text alone: each has an explanation, but no rule."""

_FOLDER = os.path.dirname(os.path.dirname(__file__))
_ENDING = ".py"
_FAMILY_DIGIT = len("CAE")


@cache
def names(family: str) -> tuple[str, ...]:
    """Return the names of a family: its rules, and the findings that the compiler reports."""
    explained = (name for name in explained_names() if _explained_family(name) == family)
    return tuple(sorted((*_rules(family), *explained)))


@cache
def _rules(family: str) -> tuple[str, ...]:
    folder = os.path.join(_FOLDER, family)
    files = os.listdir(folder) if os.path.isdir(folder) else ()
    modules = (file.removesuffix(_ENDING) for file in files if file.endswith(_ENDING) and not file.startswith("_"))
    return tuple(sorted(module.replace("_", "-") for module in modules))


def _explained_family(name: str) -> str:
    return FAMILIES[int(explanation(name).code[_FAMILY_DIGIT]) - 1]


@cache
def entry(name: str) -> Entry:
    """Return the entry of ``name``, which must exist."""
    if name in explained_names():
        known = explanation(name)
        return Entry(Rule(known.code, name, known.severity), _explained_family(name), known.documentation, None)
    family = next(family for family in FAMILIES if name in _rules(family))
    module = import_module(f"caedsl.rules.{family}.{name.replace('-', '_')}")
    return Entry(
        module.RULE, family, module.__doc__ or "", getattr(module, "check", None), getattr(module, "repair", None)
    )


@cache
def find(name: str) -> Entry | None:
    """Return the entry with that name or code, or None."""
    if name in all_names():
        return entry(name)
    return next((known for known in every() if known.rule.code == name.upper()), None)


@cache
def every() -> tuple[Entry, ...]:
    """Return every entry, in the order of the codes."""
    return tuple(sorted(map(entry, all_names()), key=lambda known: known.rule.code))


@cache
def checks() -> tuple[Entry, ...]:
    """Return the rules that check a model, in the order of their codes."""
    entries = (entry(name) for family in FAMILIES for name in _rules(family))
    return tuple(sorted((known for known in entries if known.check is not None), key=lambda known: known.rule.code))


@cache
def all_names() -> tuple[str, ...]:
    """Return every name without reading a file."""
    return (*explained_names(), *(name for family in FAMILIES for name in _rules(family)))
