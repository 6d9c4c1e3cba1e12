"""The catalogue: every rule file of the family folders, found by its place."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from caedsl.rules.engine.rule import Entry

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
"""The family folders, in the order of their codes."""

COMPILER_FAMILY = "language"
"""Rules that the compiler reports by itself: a file here is read only when its finding comes up."""


@cache
def names(family: str) -> tuple[str, ...]:
    """The rules of a family, by name."""
    folder = str(Path(__file__).parents[1] / family)
    return tuple(module.name.replace("_", "-") for module in iter_modules([folder]))


@cache
def entry(family: str, name: str) -> Entry:
    """The rule ``name`` of ``family``."""
    module = import_module(f"caedsl.rules.{family}.{name.replace('-', '_')}")
    return Entry(
        module.RULE, family, module.__doc__ or "", getattr(module, "check", None), getattr(module, "repair", None)
    )


@cache
def find(name: str) -> Entry | None:
    """The rule of that name or code, or None."""
    for family in FAMILIES:
        if name in names(family):
            return entry(family, name)
    return next((known for known in every() if known.rule.code == name.upper()), None)


@cache
def every() -> tuple[Entry, ...]:
    """All rules, in the order of their codes."""
    entries = (entry(family, name) for family in FAMILIES for name in names(family))
    return tuple(sorted(entries, key=lambda known: known.rule.code))


@cache
def checks() -> tuple[Entry, ...]:
    """The rules that look at a model, in the order of their codes."""
    families = (family for family in FAMILIES if family != COMPILER_FAMILY)
    entries = (entry(family, name) for family in families for name in names(family))
    return tuple(sorted((known for known in entries if known.check is not None), key=lambda known: known.rule.code))


def all_names() -> tuple[str, ...]:
    """The name of every rule; no rule file is read for it."""
    return tuple(name for family in FAMILIES for name in names(family))
