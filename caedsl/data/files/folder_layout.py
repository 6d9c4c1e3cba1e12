"""Conventions for subfolders with training, validation and test images, or with pairs."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.diagnostics.text import counted

TRAIN, VALIDATION, TEST = PARTS = "train", "validation", "test"

NORMAL = ("good", "normal", "ok")
"""Names of folders with normal samples, in any case."""

_PARTS = {
    TRAIN: frozenset({"train", "training"}),
    VALIDATION: frozenset({"val", "valid", "validation"}),
    TEST: frozenset({"test", "testing"}),
}
_FIRST_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_MASKS = frozenset(
    {"mask", "masks", "ground_truth", "groundtruth", "gt", "label", "labels", "annotation", "annotations"}
    | {"segmentation", "segmentations", "labelmap", "labelmaps"}
)
_PAIRS = (
    ({"image", "images", "img", "imgs", "photo", "photos"}, _MASKS | {"target", "targets"}),
    (
        {"noisy", "noise", "degraded", "corrupted", "blurry", "blurred", "lr", "lq", "input", "inputs"},
        {"clean", "original", "originals", "target", "targets", "sharp", "hr", "hq", "gt", "output", "outputs"},
    ),
)
"""Names of subfolders whose images form pairs: inputs of a network, and expected outputs."""


def part_named(name: str) -> str | None:
    """Return the part that a word means, in any case, or None."""
    return _PART_OF.get(name.casefold())


def split_folders(root: Path, written: str) -> dict[str, Path]:
    """Return the subfolders for training, validation and testing by part, in any case, or nothing.

    ``written`` is the path as the spec has it. Raise a ``DataError`` if two subfolders claim one part, if training
    images are missing, or if the folder has several sets of images or subfolders such as ``train_set`` and ``testB``.
    """
    subfolders = _subfolders(root)
    found: dict[str, Path] = {}
    for part, names in _PARTS.items():
        matching = [path for path in subfolders if path.name.casefold() in names]
        if len(matching) > 1:
            raise DataError(
                f"{root} has {_listed(path.name for path in matching)}, each of which may contain {part} images: merge "
                "them, or keep only one"
            )
        if matching:
            found[part] = matching[0]
    if found and TRAIN not in found:
        name = next(iter(found.values())).name
        raise DataError(
            f"{root} has a subfolder {name} but none named train: put the training images into {root / 'train'}, or "
            f"name the folder to read: {_remedy(written, name)}"
        )
    if not found:
        _refuse_similar_names(root, subfolders, written)
        _refuse_several_sets(root, subfolders, written)
    return found


def test_folder(root: Path) -> Path:
    """Return the subfolder of test images, or the folder itself if there is none."""
    return next((path for path in _subfolders(root) if part_named(path.name) == TEST), root)


def masks_folder(test: Path) -> Path | None:
    """Return the folder of masks in or next to a folder of test images, or None."""
    beside = [*_subfolders(test), *_subfolders(test.parent)]
    return next((path for path in beside if path.name.casefold() in _MASKS and path != test), None)


def class_folders(root: Path) -> list[Path]:
    """Return the subfolders that contain images of one class each: all except those of masks."""
    return [path for path in _subfolders(root) if path.name.casefold() not in _MASKS]


def refuse_pairs(root: Path, written: str) -> None:
    """Raise a ``DataError`` if subfolders contain pairs of images, which are not images of one kind."""
    known = frozenset().union(*(seen | answers for seen, answers in _PAIRS))
    names = {path.name.casefold(): path.name for path in _subfolders(root)}
    names = {low: name for low, name in names.items() if low not in known or _holds_images(root / name)}
    pairs = [*_PAIRS, (names.keys() - _MASKS, _MASKS)]
    for seen, answers in pairs:
        first = [names[name] for name in sorted(names) if name in seen]
        second = [names[name] for name in sorted(names) if name in answers]
        if first and second:
            raise DataError(
                f"{root} has {_listed(first)} and {_listed(second)}, which look like pairs: name the folder to read "
                f"with {_remedy(written, first[0])} or {_remedy(written, second[0])}, or train on pairs with "
                f"{_pair(written, first[0], second[0])}; if they are classes, rename them"
            )


def _refuse_similar_names(root: Path, subfolders: Iterable[Path], written: str) -> None:
    """Raise a ``DataError`` if names begin with the words for training images and for another part."""
    firsts = {path.name: _FIRST_WORD.match(path.name) for path in subfolders}
    named = {name: part for name, word in firsts.items() if word is not None and (part := part_named(word[0]))}
    if TRAIN in named.values() and len(set(named.values())) > 1:
        parts = [part for part in PARTS if part in named.values()]
        raise DataError(
            f"{root} has {_listed(named)}, which look like separate parts: name them {_listed(parts)}, or name the "
            f"folder to read, as in {_remedy(written, min(named, key=lambda name: named[name] != TRAIN))}; if they are "
            "classes, rename them"
        )


def _refuse_several_sets(root: Path, subfolders: Iterable[Path], written: str) -> None:
    sets = [path.name for path in subfolders if _divided(path)]
    if sets:
        raise DataError(
            f"{root} contains {counted(len(sets), 'folder')} with separate training and test images ({_listed(sets)}): "
            f"name one, as in {_remedy(written, sets[0])}"
        )


def _divided(folder: Path) -> bool:
    with os.scandir(folder) as entries:  # there may be a million, so they are not sorted
        parts = {part for entry in entries if (part := part_named(entry.name)) and entry.is_dir()}
    return TRAIN in parts and len(parts) > 1


def _subfolders(root: Path) -> list[Path]:
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()]
    return [root / name for name in sorted(names)]


def _holds_images(folder: Path) -> bool:
    from caedsl.data.files.decoding import suffixes

    readable = suffixes()
    return any(Path(name).suffix.lower() in readable for _, _, names in os.walk(folder) for name in names)


def _remedy(written: str, name: str) -> str:
    return f'`folder "{written.rstrip("/")}/{name}"`'


def _pair(written: str, first: str, second: str) -> str:
    folder = written.rstrip("/")
    return f'`folder "{folder}/{first}" target="{folder}/{second}"`'


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first[:5])}{' and ' if first else ''}{last}"
