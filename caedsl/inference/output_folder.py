"""Folder that a command fills with one file a sample: inside of it always, and no two samples in one file."""

import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath

from caedsl.diagnostics.text import printable
from caedsl.runs.confined import make_folder, write_file

_LONGEST = 180
"""Bytes of the longest name that is kept whole: file systems take 255, and endings and numbers are added to it."""
_FORBIDDEN = re.compile(r'[\0<>:"|?*\\]' if os.name == "nt" else r"\0")


class OutputError(Exception):
    """A file that cannot be written; the message names the place, the reason and the remedy."""


class OutputFolder:
    """Folder with a file for each sample, named like the sample.

    Names come from files, tables and arrays of anybody. Subfolders of a name are kept; what leads out of the folder
    (``/``, ``..``) is left out, and a name that another sample has already gets a number. ``renamed`` counts such
    samples.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.renamed = 0
        self._is_folder: dict[PurePosixPath, bool] = {}
        self._numbers: Counter[PurePosixPath] = Counter()

    def __str__(self) -> str:
        return str(self.path)

    def claim(self, name: str, ending: str = "") -> str:
        """Return the name, below the folder, of a new file for the sample ``name``; ``ending`` is added to it."""
        *folders, file = _parts(name)
        place = PurePosixPath()
        for folder in folders:
            place = self._free(place, folder, "", as_folder=True)
        place = self._free(place, file, ending, as_folder=False)
        self.renamed += str(place) != printable(name) + ending
        return str(place)

    def _free(self, folder: PurePosixPath, name: str, ending: str, *, as_folder: bool) -> PurePosixPath:
        """Take the place of ``name`` in ``folder``, with a number where another has it: two folders may be one."""
        place, part = folder / f"{name}{ending}", PurePosixPath(name)
        first = key = _key(place)
        while key in self._is_folder and not (as_folder and self._is_folder[key]):
            self._numbers[first] += 1
            place = folder / f"{part.stem}-{1 + self._numbers[first]}{part.suffix}{ending}"
            key = _key(place)
        self._is_folder[key] = as_folder
        return place

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, under a name that ``claim`` returned; no symbolic link in the folder is followed.

        Raise an ``OutputError`` where that fails.
        """
        try:
            for parent in reversed(PurePosixPath(name).parents[:-1]):
                make_folder(self.path, str(parent))
            write_file(self.path, name, content, durable=False)
        except OSError as error:
            raise OutputError(
                f"{self.path / name} cannot be written ({error.strerror or error}): choose another folder"
            ) from error


def _key(path: PurePosixPath) -> PurePosixPath:
    """Return what two names share that are one file where the file system ignores the case of letters."""
    return PurePosixPath(str(path).casefold())


def _parts(name: str) -> list[str]:
    """Return the folders and the file that ``name`` stands for, each short enough for a file system."""
    parts = _FORBIDDEN.sub("_", printable(name)).split("/")
    kept = [_shortened(part) for part in parts if part.strip() not in ("", ".", "..")]
    return kept or ["sample"]


def _shortened(part: str) -> str:
    content = part.encode()
    if len(content) <= _LONGEST:
        return part
    suffix = PurePosixPath(part).suffix.encode()[:16]
    return (content[: _LONGEST - len(suffix)] + suffix).decode(errors="ignore")
