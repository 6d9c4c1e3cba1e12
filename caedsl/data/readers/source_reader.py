"""Interface of source readers: the request and the result."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from caedsl.data.errors import DataError, ReadingProgress, UnavailableError, reason
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.stack import Stack
from caedsl.model.data import DataSource


@dataclass(frozen=True)
class Request:
    """One source of a spec: ``folder`` is the base of its relative paths, ``data_folders`` contain the standard files.

    ``targets`` is the request for the targets, or None if these are the samples themselves. Downloads and decoded
    copies go to ``store``. Nothing outside ``root`` is read for the paths of the spec. A table need not have the
    column of labels unless ``labels_required``.
    """

    source: DataSource
    folder: Path
    data_folders: tuple[Path, ...]
    fit: SampleFormat
    progress: ReadingProgress
    root: Path | None = None
    store: Path | None = None
    targets: "Request | None" = None
    labels_required: bool = True

    def path(self, written: str | None) -> Path:
        """Return a path of the spec; raise ``UnavailableError`` if it does not exist."""
        if not written:
            raise DataError(f'`data {self.source.name}` needs a path: write `{self.source.name} "…"`')
        path = self.folder / os.path.expanduser(written)
        try:
            path.lstat()
        except FileNotFoundError:
            where = (
                ""
                if Path(written).is_absolute()
                else f" (paths are relative to the folder of the spec, {self.folder.absolute()})"
            )
            raise UnavailableError(f"{path} does not exist{where}", "correct the path, or put the data there") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{path!s} cannot be read: {reason(error)}") from error
        return confined(path, self.root)


@dataclass(frozen=True)
class UnreadImages:
    """Samples of a source before reading; ``targets`` has the expected outputs by part."""

    train: Stack
    test: Stack | None = None
    validation: Stack | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    targets: "UnreadImages | None" = None

    def part(self, name: str) -> Stack | None:
        """Return the samples of a part: train, validation or test."""
        return {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}[name]


class Reader(Protocol):
    """Function that finds the samples of one kind of source."""

    def __call__(self, request: Request) -> UnreadImages:
        """Find the samples; raise ``UnavailableError`` if they do not exist, ``DataError`` if they are damaged."""


def confined(path: Path, root: Path | None) -> Path:
    """Return ``path``; raise a ``DataError`` if it, or the target of a link, is outside ``root``."""
    if root is not None:
        real, allowed = Path(os.path.realpath(path)), Path(os.path.realpath(root))
        if real != allowed and allowed not in real.parents:
            raise DataError(
                f"{path} leads to {real}, outside {allowed}: move the data into that folder, or name another one with "
                "--data-root"
            )
    return path


def stated_path(written: str | None, place: str) -> str:
    """Return the path that a table has at ``place``; raise a ``DataError`` if there is none, or no file can have it."""
    if not written:
        raise DataError(f"{place} is empty: write the path of an image into it")
    if "\0" in written:
        raise DataError(f'{place} is "{written}", with a NUL character, which no path may have: correct the path')
    return written


def describe(source: DataSource) -> str:
    """Return a source as a spec writes it: ``mnist``, ``folder "photos"``."""
    return source.name if source.path is None else f'{source.name} "{source.path}"'
