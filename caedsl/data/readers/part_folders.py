"""Folders of files: which of them hold training, validation and test samples, and which are classes."""

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from caedsl.data.errors import DataError
from caedsl.data.files.file_listing import some
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION, refuse_pairs, split_folders
from caedsl.data.readers.source_reader import Request
from caedsl.data.stacks.stack import Labels
from caedsl.diagnostics.text import text_of_path


class PartClasses(NamedTuple):
    """Labels of the files of each part, which index the ``names`` of all classes; None for a part without."""

    labels: Mapping[str, Labels | None]
    names: tuple[str, ...]


def part_roots(request: Request, endings: AbstractSet[str], notes: list[str]) -> dict[str, Path]:
    """Return the folders, or the single files, to read by part: always one for training.

    They are the subfolders for training, validation and testing, or the path itself, and what ``validation=`` and
    ``test=`` name. ``endings`` are those of the files that hold samples.
    """
    root = request.path(request.source.path)
    roots = _split(root, request, endings, notes) if root.is_dir() else {TRAIN: root}
    for part, written in ((VALIDATION, request.source.validation), (TEST, request.source.test)):
        if written is None:
            continue
        path = request.path(written)
        if part in roots:
            raise DataError(f"{roots[part]} has {part} {request.fit.noun}s, but `{part}=` names others: remove one")
        if path.resolve().is_relative_to(roots[TRAIN].resolve()):
            noun = f"training {request.fit.noun}s"
            raise DataError(f"{path} is inside the folder of {noun}, {roots[TRAIN]}: move it out")
        roots[part] = path
    return roots


def _split(root: Path, request: Request, endings: AbstractSet[str], notes: list[str]) -> dict[str, Path]:
    split = split_folders(root, request.source)
    if not split:
        refuse_pairs(root, request.source, endings)
        return {TRAIN: root}
    for part in split.values():
        written = f"{(request.source.path or '').rstrip('/')}/{part.name}"
        refuse_pairs(part, replace(request.source, path=written), endings)
    others = sorted(path.name for path in root.iterdir() if path not in split.values() and path.name[0] != ".")
    if others:
        *first, last = (path.name for path in split.values())
        notes.append(
            f"only {', '.join(first)}{' and ' if first else ''}{last} {'are' if first else 'is'} read, not "
            f"{some(others)}"
        )
    return split


def part_classes(
    files: Mapping[str, Sequence[str]], roots: Mapping[str, Path], request: Request, notes: list[str]
) -> PartClasses:
    """Return the classes of files, given by their names relative to the root of their part.

    A note says which subfolders are taken for classes if none of them is known to be a part.
    """
    only = request.source.only
    classes = {
        part: classes_of(names, roots[part], notes, only) if roots[part].is_dir() else None
        for part, names in files.items()
    }
    known = tuple(sorted({name for part in classes.values() if part for name in part}))
    if only is None and len(known) > 1 and roots[TRAIN] == request.path(request.source.path):
        notes.append(
            f"the subfolders of {roots[TRAIN].name} are read as classes: {some(known)}; for parts, name them train, "
            "validation and test"
        )
    return PartClasses({part: labels_of(found, known) for part, found in classes.items()}, known)


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
