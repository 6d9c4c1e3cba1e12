"""Words of one sort, collected from the module that declares them."""

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Protocol, TypeVar


class Word(Protocol):
    """Declaration with a name."""

    @property
    def name(self) -> str:
        """Name that a spec writes."""


W = TypeVar("W", bound=Word)


class Words(Mapping[str, W]):
    """Declarations of type ``sort`` in a module, by name, in the order of declaration.

    The module is searched at first use, so a declaration needs no entry in a list.
    """

    def __init__(self, module: str, sort: type[W]) -> None:
        self._module = module
        self._sort = sort

    @cached_property
    def _words(self) -> dict[str, W]:
        values = vars(sys.modules[self._module]).values()
        return {value.name: value for value in values if isinstance(value, self._sort)}

    def __getitem__(self, name: str) -> W:
        return self._words[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)
