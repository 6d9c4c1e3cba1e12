"""Output folder with one file per sample: files never leave the folder, and no two samples share a file."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path, PurePosixPath
from shutil import rmtree
from tempfile import mkdtemp

from caedsl.diagnostics.messages import MessageError
from caedsl.diagnostics.text import printable
from caedsl.runs.confined import has, has_folder, make_folder, rename_file, write_file

_LONGEST = 180
"""Largest length in bytes of a name that is not shortened; file systems allow 255, endings and numbers included."""
_FORBIDDEN = re.compile(r'[\0<>:"|?*\\]' if os.name == "nt" else r"\0")


class OutputError(MessageError):
    """File that cannot be written; the message names the place, the reason and the remedy."""


class OutputFolder:
    """Folder with a file for each sample, named like the sample, in which all files appear at once; see ``new_files``.

    Names come from untrusted files, tables and arrays. Subfolders in a name are kept. Parts that lead out of the folder
    (``/``, ``..``) are removed, and a name that is already taken gets a number. ``renamed`` counts the samples whose
    name was changed.
    """

    def __init__(self, path: Path, parts: str) -> None:
        self.path = path
        self.renamed = 0
        self._parts = parts
        self._is_folder: dict[PurePosixPath, bool] = {_key(PurePosixPath(parts)): False}
        self._numbers: Counter[PurePosixPath] = Counter()
        self._written: list[str] = []

    def __str__(self) -> str:
        return str(self.path)

    def claim(self, name: str, ending: str = "") -> str:
        """Return the name of a new file for the sample ``name``, relative to the folder.

        ``ending`` is appended to a name that does not end in it.
        """
        if name.lower().endswith(ending):
            ending = ""
        *folders, file = _components(name)
        place = PurePosixPath()
        for folder in folders:
            place = self._free(place, folder, "", as_folder=True)
        place = self._free(place, file, ending, as_folder=False)
        self.renamed += str(place) != printable(name) + ending
        return str(place)

    def _free(self, folder: PurePosixPath, name: str, ending: str, *, as_folder: bool) -> PurePosixPath:
        """Reserve ``name`` in ``folder``, with a number if it is taken; samples may share a folder, but not a file."""
        place, part = folder / f"{name}{ending}", PurePosixPath(name)
        first = key = _key(place)
        while key in self._is_folder and not (as_folder and self._is_folder[key]):
            self._numbers[first] += 1
            place = folder / f"{part.stem}-{1 + self._numbers[first]}{part.suffix}{ending}"
            key = _key(place)
        self._is_folder[key] = as_folder
        return place

    def write(self, name: str, content: bytes) -> None:
        """Write a file under a name that ``claim`` returned, without following symbolic links in the folder.

        Raise an ``OutputError`` if that fails, or if the file could not appear in the folder.
        """
        with self._errors_of(name):
            for parent in _folders_of(name):
                make_folder(self.path, f"{self._parts}/{parent}")
                if has(self.path, parent):
                    make_folder(self.path, parent)  # raises an error if it is not a folder
            if has_folder(self.path, name):
                raise IsADirectoryError(EISDIR, "a folder has that name")
            write_file(self.path, f"{self._parts}/{name}", content, durable=False)
        self._written.append(name)

    def publish(self) -> None:
        """Move all written files to their names. Raise an ``OutputError`` if that fails."""
        for name in self._written:
            with self._errors_of(name):
                for parent in _folders_of(name):
                    make_folder(self.path, parent)
                rename_file(self.path, f"{self._parts}/{name}", name)

    @contextmanager
    def _errors_of(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.path / name} cannot be written ({error.strerror or error}): choose another folder"
            ) from error


@contextmanager
def new_files(path: Path) -> Iterator[OutputFolder]:
    """Write files inside the context into the existing folder ``path``.

    They are in a temporary subfolder until the context ends, and are removed if it fails: the folder gets all files or
    none. Files that already have their names are replaced.
    """
    try:
        parts = Path(mkdtemp(prefix=".", suffix=".part", dir=path))
    except OSError as error:
        raise OutputError(f"{path} cannot be written to ({error.strerror}): choose another folder") from error
    try:
        folder = OutputFolder(path, parts.name)
        yield folder
        folder.publish()
    finally:
        rmtree(parts, ignore_errors=True)


def _folders_of(name: str) -> list[str]:
    """Return the folders that contain a file, the outermost first."""
    return [str(parent) for parent in reversed(PurePosixPath(name).parents[:-1])]


def _key(path: PurePosixPath) -> PurePosixPath:
    """Return a key that is equal for names of the same file on a case-insensitive file system."""
    return PurePosixPath(str(path).casefold())


def _components(name: str) -> list[str]:
    """Return the folders and the file name in ``name``, each short enough for a file system."""
    parts = _FORBIDDEN.sub("_", printable(name)).split("/")
    kept = [_shortened(part) for part in parts if part.strip() not in ("", ".", "..")]
    return kept or ["sample"]


def _shortened(part: str) -> str:
    content = part.encode()
    if len(content) <= _LONGEST:
        return part
    suffix = PurePosixPath(part).suffix.encode()[:16]
    return (content[: _LONGEST - len(suffix)] + suffix).decode(errors="ignore")
