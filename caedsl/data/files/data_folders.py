"""Folders of the standard files of datasets, and downloads into them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from caedsl.data.errors import ReadingProgress, UnavailableError, reason
from caedsl.data.files.download import download
from caedsl.data.readers.source_reader import Request

VARIABLE = "CAEDSL_DATA"


@dataclass(frozen=True)
class StandardSet:
    """Published files of a dataset.

    ``files`` maps the name of each to its SHA-256; ``mirrors`` are the addresses of folders that have them all.
    ``places`` are the usual subfolders of a data folder; downloads go to the first.
    """

    name: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]
    places: tuple[str, ...]


def data_folders(chosen: Path | None, recorded: Path | None = None) -> tuple[Path, ...]:
    """Return the folders of standard files: ``chosen``, the folder in CAEDSL_DATA, and the user's cache.

    A user without a home folder has no cache. ``recorded``, from a run folder, comes last and is never written to.
    """
    own = writable_folders(chosen)
    return own if recorded is None else tuple(dict.fromkeys((*own, _absolute(recorded))))


def writable_folders(chosen: Path | None) -> tuple[Path, ...]:
    """Return the data folders that the user names or owns; downloads and decoded copies go to the first."""
    folders = (chosen, os.environ.get(VARIABLE) or None, _cache())
    return tuple(dict.fromkeys(_absolute(folder) for folder in folders if folder is not None))


def _absolute(folder: str | Path) -> Path:
    return Path(os.path.expanduser(folder)).absolute()


def _cache() -> Path | None:
    from pooch import os_cache

    try:
        cache = Path(os_cache("caedsl"))
    except RuntimeError:
        return None
    return cache if cache.is_absolute() else None


def complete(wanted: StandardSet, folders: Sequence[Path]) -> Iterator[dict[str, Path]]:
    """Return the places that contain all files of a set, gzipped or not, with published names first."""
    for folder in folders:
        for place in (*wanted.places, "."):
            found = {file: path for file in wanted.files if (path := _lying(folder / place, file)) is not None}
            if len(found) == len(wanted.files):
                yield found


def _lying(place: Path, file: str) -> Path | None:
    candidates = (place / file, place / file.removesuffix(".gz"))
    return next((path for path in candidates if path.is_file()), None)


def fetch(wanted: StandardSet, request: Request, looked: Sequence[str] = ()) -> dict[str, Path]:
    """Download the files of a set into the folder for downloads, and return their paths by name.

    ``UnavailableError`` lists the folders searched before (including ``looked``), and why each address failed.
    """
    if request.store is None:
        raise UnavailableError(
            f"no files of {wanted.name}: there is no home folder to store datasets in",
            f"set the environment variable {VARIABLE} to a writable folder",
            *looked,
        )
    place = request.store / wanted.places[0]
    searched = ", ".join(f"{folder}{'' if folder.is_dir() else ' (no such folder)'}" for folder in request.data_folders)
    made = [folder for folder in (place, *place.parents) if not folder.exists()]
    mirrors, failures = list(wanted.mirrors), []
    for file, sha256 in wanted.files.items():
        while mirrors:
            try:
                failure = download(mirrors[0] + file, place / file, sha256, partial(_show, request.progress, file))
            except OSError as error:
                failures.append(f"{place} is not writable: {reason(error)}")
                mirrors.clear()
                break
            if failure is None:
                break
            # A mirror that failed is not tried again for the next file: without a network each try may take seconds.
            failures.append(f"{mirrors.pop(0)}{file}: {failure}")
        if not mirrors:
            _remove_empty(made)
            remedy = f"put {', '.join(wanted.files)} into {place}"
            raise UnavailableError(f"no files of {wanted.name} in {searched}", remedy, *looked, *failures)
    return {file: place / file for file in wanted.files}


def _show(progress: ReadingProgress, file: str, done: int, total: int) -> None:
    progress(f"downloading {file}", done, total, "bytes")


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
