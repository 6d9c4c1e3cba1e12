"""A folder of image files: flat, in class subfolders, or in ``train/`` and ``test/`` with either inside."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from caedsl.data.fit import Fit, Scale, blank
from caedsl.data.images import DataError, UnavailableError
from caedsl.data.source_reader import Found, Request
from caedsl.data.stack import Block, Index, Labels

_SHA256_BYTES = 32
_NAMED = 3
"""How many files a message names before it only counts."""


@dataclass
class FolderStack:
    """Image files, decoded when they are read."""

    paths: Sequence[Path]
    root: Path
    fit: Fit
    labels: Labels | None = None

    def __post_init__(self) -> None:
        # The checksum of each file when it was first read; zeros before that.
        self._checksums = np.zeros((len(self.paths), _SHA256_BYTES), np.uint8)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def scale(self) -> Scale:
        """See ``Stack.scale``."""
        return Scale(255, self.fit)

    @property
    def value_bytes(self) -> int:
        """See ``Stack.value_bytes``: 1, since few files have more than 8 bits."""
        return 1

    @property
    def ready(self) -> bool:
        """See ``Stack.ready``: files are decoded."""
        return False

    def read(self, index: Index) -> Block:
        """See ``Stack.read``; files that cannot be used are a ``DataError`` that names them."""
        from caedsl.data.picture import Picture, read_picture

        pictures: list[Picture] = []
        errors: list[DataError] = []
        for number in index.tolist():
            try:
                picture = read_picture(self.paths[number], self.fit)
                self._recognise(number, picture.sha256)
                pictures.append(picture)
            except DataError as error:
                errors.append(error)
        if errors:
            raise DataError(_several(errors))
        return Block(
            _together([picture.x_chw for picture in pictures], self.fit, self.scale),
            b"".join(picture.sha256 for picture in pictures),
            tuple(remark for picture in pictures for remark in picture.remarks),
        )

    def _recognise(self, number: int, sha256: bytes) -> None:
        now, before = np.frombuffer(sha256, np.uint8), self._checksums[number]
        if not before.any():
            self._checksums[number] = now
        elif (now != before).any():
            raise DataError(
                f"{self.paths[number]} was changed while it was being used: put it back as it was, or begin anew"
            )

    def conclude(self, remarks: Counter[str], images: int) -> tuple[str, ...]:
        """What was remarked on how many files; a ``DataError`` where all are grey and the input has colours."""
        from caedsl.data.picture import GREY

        if images and remarks[GREY] == images:
            raise DataError(
                f"all images of {self.root} are grey, and the input is {self.fit.input}: "
                f"write `input 1x{self.fit.height}x{self.fit.width}`"
            )
        return tuple(f"{count} of {images} images {remark}{self._how(remark)}" for remark, count in remarks.items())

    def _how(self, remark: str) -> str:
        return f" to {self.fit.height}x{self.fit.width} ({self.fit.resize})" if remark == "resized" else ""


def _together(images: Sequence[Tensor], fit: Fit, scale: Scale) -> Tensor:
    """Images C×H×W as one tensor: bytes where all are bytes, else all in the input's range."""
    are_bytes = all(x_chw.dtype == torch.uint8 for x_chw in images)
    x_bchw = blank(len(images), fit, torch.uint8 if are_bytes else torch.float32)
    for place, x_chw in enumerate(images):
        x_bchw[place] = x_chw if are_bytes else scale(x_chw)
    return x_bchw


def _several(errors: Sequence[DataError]) -> str:
    named = [str(error) for error in errors[:_NAMED]]
    return "\n".join(named if len(errors) <= _NAMED else [*named, f"and {len(errors) - _NAMED} more files"])


def read(request: Request) -> Found:
    """The images of a folder, recursively, in the order of their names.

    With a subfolder ``train`` (and perhaps ``test``) only those two are read. The labels are the immediate subfolders
    of what is read, where every image lies in one.
    """
    root = request.path(request.source.path)
    if not root.is_dir():
        raise DataError(f"{root} is a file, and `folder` reads a folder: for an array write `npy`, `npz` or `idx`")
    if request.fit.channels not in (1, 3):
        fit = request.fit
        raise DataError(
            f"image files have 1 or 3 channels, and the input is {fit.input}: write `input 3x{fit.height}x{fit.width}`"
        )
    notes: list[str] = []
    roots = _parts(root, notes)
    parts = [_images(part, notes) for part in roots]
    if not parts[0]:
        text = f"{roots[0]} holds no images: no file there ends like one (.png, .jpg and so on)"
        raise UnavailableError(text, f"put image files into {roots[0]}")
    classes = [_classes(paths, part, notes) for paths, part in zip(parts, roots, strict=True)]
    names = tuple(sorted({name for part in classes if part for name in part}))
    stacks = [
        FolderStack(paths, part, request.fit, _numbers(of_each, names))
        for paths, part, of_each in zip(parts, roots, classes, strict=True)
        if paths
    ]
    return Found(stacks[0], stacks[1] if len(stacks) > 1 else None, names, tuple(notes))


def _parts(root: Path, notes: list[str]) -> list[Path]:
    """The folders to read: ``train`` and perhaps ``test`` where they are there, the folder itself otherwise."""
    train, test = root / "train", root / "test"
    if not train.is_dir():
        if test.is_dir():
            raise DataError(
                f"{root} has a subfolder test and none named train: put the images to train on into {train}"
            )
        return [root]
    others = sorted(path.name for path in root.iterdir() if path not in (train, test) and path.name[0] != ".")
    if others:
        notes.append(f"beside train and test, not read: {_some(others)}")
    return [train, test] if test.is_dir() else [train]


def _images(root: Path, notes: list[str]) -> list[Path]:
    from caedsl.data.picture import suffixes

    readable = suffixes()
    images: list[Path] = []
    others: list[Path] = []
    for path in _files(root):
        (images if path.suffix.lower() in readable else others).append(path)
    if others:
        names = _some(sorted(str(path.relative_to(root)) for path in others))
        notes.append(f"in {root.name}, left out as no images: {names}")
    return sorted(images, key=lambda path: path.relative_to(root).parts)


def _files(root: Path) -> Iterator[Path]:
    """All files below ``root`` that are not hidden; links to folders are followed, each folder once."""
    seen = set()
    for folder, subfolders, names in os.walk(root, onerror=_fail, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "__MACOSX")))
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _fail(error: OSError) -> None:
    raise error


def _classes(paths: Sequence[Path], root: Path, notes: list[str]) -> list[str] | None:
    """The class of each image, None where there are no images or not all of them lie in a subfolder."""
    parts = [path.relative_to(root).parts for path in paths]
    loose = sum(len(part) == 1 for part in parts)
    if 0 < loose < len(parts):
        notes.append(f"no labels for {root.name}: {loose} of {len(parts)} images lie in no class subfolder")
    return [part[0] for part in parts] if parts and not loose else None


def _numbers(classes: Sequence[str] | None, names: Sequence[str]) -> Labels | None:
    if classes is None:
        return None
    number = {name: place for place, name in enumerate(names)}
    return np.array([number[name] for name in classes], dtype=np.int64)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
