"""A folder of image files: flat, in class subfolders, or with subfolders for training, validation and testing."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from caedsl.data.errors import DataError, UnavailableError
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION, refuse_pairs, split_folders
from caedsl.data.files.listing import Files, files_in, some
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.picture_stack import check_input
from caedsl.data.stacks.stack import Labels
from caedsl.diagnostics.text import text_of_path


def read(request: Request) -> UnreadImages:
    """Find the images of a folder, recursively, sorted by name.

    If there are subfolders for training, and perhaps for validation and testing, only those are read. The labels are
    the immediate subfolders, if every image is in one.
    """
    root = request.path(request.source.path)
    if not root.is_dir():
        raise DataError(f"{root} is a file, but `folder` reads a folder: for an array, write `npy`, `npz` or `idx`")
    check_input(request.fit)
    notes: list[str] = []
    roots = _parts(root, request.source.path or "", notes)
    roots |= _own_parts(request, roots)
    files = {part: images_in(folder, request.root, notes) for part, folder in roots.items()}
    if not files[TRAIN]:
        text = f"{roots[TRAIN]} contains no images (.png, .jpg and so on)"
        raise UnavailableError(text, f"put image files into {roots[TRAIN]}")
    classes = {part: classes_of(files[part].names, roots[part], notes, request.source.only) for part in roots}
    names = tuple(sorted({name for part in classes.values() if part for name in part}))
    stacks = {
        part: FolderStack(files[part], roots[part], request.fit, labels_of(classes[part], names), request.source.white)
        for part in roots
        if files[part]
    }
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), names, tuple(notes))


def _parts(root: Path, written: str, notes: list[str]) -> dict[str, Path]:
    """Return the folders to read by part: those for training, validation and testing, or the folder itself."""
    split = split_folders(root, written)
    if not split:
        refuse_pairs(root, written)
        return {TRAIN: root}
    for part in split.values():
        refuse_pairs(part, f"{written.rstrip('/')}/{part.name}")
    others = sorted(path.name for path in root.iterdir() if path not in split.values() and path.name[0] != ".")
    if others:
        *first, last = (path.name for path in split.values())
        notes.append(
            f"only {', '.join(first)}{' and ' if first else ''}{last} {'are' if first else 'is'} read, not "
            f"{some(others)}"
        )
    return split


def _own_parts(request: Request, roots: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folders that the source names for validation and testing, by part."""
    found = {}
    for part, written in ((VALIDATION, request.source.validation), (TEST, request.source.test)):
        if written is None:
            continue
        found[part] = request.path(written)
        if not found[part].is_dir():
            raise DataError(f"{found[part]} is a file: for `data folder`, `{part}=` needs a folder")
        if part in roots:
            raise DataError(f"{roots[part]} has {part} images, but `{part}=` names others: remove one of them")
        if found[part].resolve().is_relative_to(roots[TRAIN].resolve()):
            raise DataError(f"{found[part]} is inside the folder of training images, {roots[TRAIN]}: move it out")
    return found


def images_in(root: Path, allowed: Path | None, notes: list[str]) -> Files:
    """Return the image files below ``root``, sorted by name; add other files to ``notes``.

    If ``allowed`` is a folder, nothing outside of it is read.
    """
    from caedsl.data.files.decoding import suffixes

    return files_in(root, allowed, notes, suffixes(), "images")


def classes_of(names: Sequence[str], root: Path, notes: list[str], only: int | str | None = None) -> list[str] | None:
    """Return the class of each file, the first folder of its path relative to ``root``, as ``text_of_path``.

    Return None if there are no files or not all of them are in a subfolder. Then raise a ``DataError`` that names the
    others if the class ``only`` is wanted.
    """
    classes = [name.partition(os.sep) for name in names]
    loose = [first for first, separator, _ in classes if not separator]
    if 0 < len(loose) < len(names):
        there = f"{len(loose)} of {len(names)} files are not in a class subfolder: {some(loose)}"
        if only is not None:
            raise DataError(f"`only={only}` needs a label for each file, and in {root} {there}; move or remove them")
        notes.append(f"no labels for {root.name}: {there}")
    return [text_of_path(first) for first, _, _ in classes] if names and not loose else None


def labels_of(classes: Sequence[str] | None, names: Sequence[str]) -> Labels | None:
    """Return the class of each file as its number in ``names``."""
    if classes is None:
        return None
    number = {name: place for place, name in enumerate(names)}
    return np.array([number[name] for name in classes], dtype=np.int64)
