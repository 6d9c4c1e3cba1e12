"""Files below a folder; a million files are listed within seconds."""

import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import overload

from caedsl.data.readers.source_reader import confined

_NAMED = 3
"""Name at most this many files in a note, and count the rest."""


class Files(Sequence[Path]):
    """Files below ``root``; ``names`` are their paths relative to it.

    A path is created on demand: a million paths would take ten seconds and half a gigabyte.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root = root
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, place: int) -> Path: ...

    @overload
    def __getitem__(self, place: slice) -> "Files": ...

    def __getitem__(self, place: int | slice) -> "Path | Files":
        if isinstance(place, slice):
            return Files(self.root, self.names[place])
        return self.root / self.names[place]

    def at(self, places: Iterable[int]) -> "Files":
        """Return the files at these positions, in this order."""
        return Files(self.root, [self.names[place] for place in places])


def files_in(root: Path, allowed: Path | None, notes: list[str], endings: AbstractSet[str], called: str) -> Files:
    """Return the files below ``root`` with one of the ``endings``, sorted by name; messages call them ``called``.

    Files with other endings are added to ``notes``. If ``allowed`` is a folder, nothing outside it is read.
    """
    found: list[str] = []
    others: list[str] = []
    for folder, names in _folders(root, allowed):
        for name in names:
            (found if name[name.rfind(".") :].lower() in endings else others).append(folder + name)
    if others:
        notes.append(f"in {root.name}, ignored because they are not {called}: {some(sorted(others))}")
    # Sorted by path components: the separator is replaced by the smallest character, which no name contains.
    return Files(root, sorted(found, key=lambda name: name.replace(os.sep, "\0")))


def _folders(root: Path, allowed: Path | None) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder below ``root``, as the prefix of the names of its files, and the files that are not hidden.

    Links to folders are followed, each folder once. Raise a ``DataError`` if a link leads out of ``allowed``.
    """
    seen = set()
    for folder, subfolders, names in os.walk(root, onerror=_fail, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        confined(Path(folder), allowed)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "__MACOSX")))
        below = os.path.relpath(folder, root)
        shown = [name for name in names if not name.startswith(".")]
        for name in shown if allowed is not None else ():
            if os.path.islink(os.path.join(folder, name)):
                confined(Path(folder, name), allowed)
        yield "" if below == os.curdir else below + os.sep, shown


def _fail(error: OSError) -> None:
    raise error


def some(names: Sequence[str]) -> str:
    """Return the first of these names, and the number of the others."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def file_name(path: Path, root: Path) -> str:
    """Return the path of a file relative to the folder ``root``, or to that of the file ``root``, if it is inside."""
    for folder in (root, root.parent):
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    return str(path)


def file_names(paths: Sequence[Path], root: Path) -> list[str]:
    """Return the names of files; see ``file_name``."""
    return [file_name(path, root) for path in paths]
