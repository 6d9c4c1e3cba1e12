"""Layer kinds: one file per kind, with everything that the compiler knows about it.

``KINDS`` is the table of all kinds; every subclass of ``Kind`` in a file of this folder is in it.
"""

from importlib import import_module
from pkgutil import iter_modules

from caedsl.vocabulary.kind import Kind


def _found() -> dict[str, Kind]:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    kinds = [kind() for kind in _subclasses(Kind) if "name" in vars(kind) and kind.__module__.startswith(__name__)]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: kind.name)}


def _subclasses(parent: type[Kind]) -> list[type[Kind]]:
    return [kind for child in parent.__subclasses__() for kind in (child, *_subclasses(child))]


KINDS: dict[str, Kind] = _found()

__all__ = ["KINDS", "Kind"]
