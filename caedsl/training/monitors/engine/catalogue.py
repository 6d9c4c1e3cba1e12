"""Catalogue of the monitors, found by their files. Nothing here needs torch."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import NamedTuple

from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar

FOLDER = Path(__file__).parents[1]


class Monitor(NamedTuple):
    """Monitor in one file of ``caedsl.training.monitors``.

    ``name`` is the name of the file and describes the fault; ``documentation`` is its docstring. ``look`` yields the
    findings. A monitor reports once per run, or once per layer if it is ``by_layer``, and no longer after one of
    ``explained_by`` has reported. ``at_end``, if there is one, explains a whole run that has learned nothing, although
    no monitor reported anything.
    """

    name: str
    documentation: str
    look: Callable[[RunSoFar], Iterable[Symptom]]
    explained_by: tuple[str, ...]
    by_layer: bool
    at_end: Callable[[Sequence[Epoch]], Symptom | None] | None = None

    @property
    def summary(self) -> str:
        """First line of the documentation."""
        return self.documentation.strip().partition("\n")[0]


@cache
def names() -> tuple[str, ...]:
    """Return the names of all monitors."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules([str(FOLDER)]) if not module.ispkg))


@cache
def find(name: str) -> Monitor | None:
    """Return the monitor with this name, or None."""
    if name not in names():
        return None
    module = import_module(f"caedsl.training.monitors.{name.replace('-', '_')}")
    return Monitor(
        name,
        module.__doc__ or "",
        module.look,
        getattr(module, "EXPLAINED_BY", ()),
        getattr(module, "BY_LAYER", False),
        getattr(module, "at_end", None),
    )


def in_order_of_names() -> tuple[Monitor, ...]:
    """Return all monitors in alphabetical order."""
    return tuple(monitor for name in names() if (monitor := find(name)) is not None)


@cache
def every() -> tuple[Monitor, ...]:
    """Return all monitors; one that explains another comes before it, otherwise they are in alphabetical order."""
    waiting = list(in_order_of_names())
    ordered: list[Monitor] = []
    while waiting:
        left = {monitor.name for monitor in waiting}
        free = next(monitor for monitor in waiting if not left & set(monitor.explained_by))
        waiting.remove(free)
        ordered.append(free)
    return tuple(ordered)
