"""Conventions for subfolders with training, validation and test images, or with pairs."""

import os
import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.diagnostics.text import counted
from caedsl.model.data import DataSource

TRAIN, VALIDATION, TEST = PARTS = "train", "validation", "test"

NORMAL = ("good", "normal", "ok")
"""Names of folders with normal samples, in upper or lower case."""

_PARTS = {
    TRAIN: frozenset(
        {"train", "training", "entrainement", "apprentissage", "entrenamiento", "treinamento", "treino"}
        | {"addestramento", "обучение", "训练", "訓練", "훈련"}
    ),
    VALIDATION: frozenset(
        {"val", "valid", "validation", "validierung", "validacion", "validacao", "validazione"}
        | {"валидация", "验证", "検証", "검증"}
    ),
    TEST: frozenset(
        {"test", "testing", "tests", "prueba", "pruebas", "teste", "testes", "тест", "测试"} | {"テスト", "테스트"}
    ),
}
"""Names of folders of each part, without case and accents."""
_ENDINGS = ("set", "data", "sdaten", "daten", "images", "sbilder", "bilder")
"""What may follow the word for a part, as in ``testset`` and ``Trainingsdaten``."""
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
    return _PART_OF.get(_plain(name))


def _plain(name: str) -> str:
    """Return a name without case and accents, which file systems store in several ways."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return unicodedata.normalize("NFC", "".join(each for each in letters if unicodedata.category(each) != "Mn"))


def split_folders(root: Path, source: DataSource) -> dict[str, Path]:
    """Return the subfolders for training, validation and testing by part, in upper or lower case, or nothing.

    Messages show the ``source`` as the spec has it. Raise a ``DataError`` if two subfolders claim one part, if training
    samples are missing, or if the folder has several sets of samples or subfolders such as ``train_set`` and ``testB``.
    """
    subfolders = _subfolders(root)
    found: dict[str, Path] = {}
    for part in PARTS:
        matching = [path for path in subfolders if part_named(path.name) == part]
        if len(matching) > 1:
            raise DataError(
                f"{root} has {_listed(path.name for path in matching)}, each of which may contain {part} files: merge "
                "them, or keep only one"
            )
        if matching:
            found[part] = matching[0]
    if found and TRAIN not in found:
        name = next(iter(found.values())).name
        raise DataError(
            f"{root} has a subfolder {name} but none named train: put the training files into {root / 'train'}, or "
            f"name the folder to read: {_remedy(source, name)}"
        )
    if not found:
        _refuse_similar_names(root, subfolders, source)
        _refuse_several_sets(root, subfolders, source)
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


def refuse_pairs(root: Path, source: DataSource, endings: AbstractSet[str]) -> None:
    """Raise a ``DataError`` if subfolders contain pairs of samples, which are not samples of one kind.

    Only subfolders that hold files with one of the ``endings`` count.
    """
    known = frozenset().union(*(seen | answers for seen, answers in _PAIRS))
    names = {path.name.casefold(): path.name for path in _subfolders(root)}
    names = {low: name for low, name in names.items() if low not in known or _holds(root / name, endings)}
    pairs = [*_PAIRS, (names.keys() - _MASKS, _MASKS)]
    for seen, answers in pairs:
        first = [names[name] for name in sorted(names) if name in seen]
        second = [names[name] for name in sorted(names) if name in answers]
        if first and second:
            raise DataError(
                f"{root} has {_listed(first)} and {_listed(second)}, which look like pairs: name the folder to read "
                f"with {_remedy(source, first[0])} or {_remedy(source, second[0])}, or train on pairs with "
                f"{_pair(source, first[0], second[0])}; if they are classes, rename them"
            )


def _refuse_similar_names(root: Path, subfolders: Iterable[Path], source: DataSource) -> None:
    """Raise a ``DataError`` if names begin with the words for training samples and for another part."""
    named = {path.name: part for path in subfolders if (part := _part_like(path.name))}
    if TRAIN in named.values() and len(set(named.values())) > 1:
        parts = [part for part in PARTS if part in named.values()]
        raise DataError(
            f"{root} has {_listed(named)}, which look like separate parts: name them {_listed(parts)}, or name the "
            f"folder to read, as in {_remedy(source, min(named, key=lambda name: named[name] != TRAIN))}; if they are "
            "classes, rename them"
        )


def _part_like(name: str) -> str | None:
    """Return the part that the first word of a name means, perhaps with one of the ``_ENDINGS``."""
    word = _FIRST_WORD.match(unicodedata.normalize("NFKD", name))
    first = "" if word is None else word[0].casefold()
    stems = (first.removesuffix(ending) for ending in ("", *_ENDINGS))
    return next((part for part in map(part_named, stems) if part is not None), None)


def _refuse_several_sets(root: Path, subfolders: Iterable[Path], source: DataSource) -> None:
    sets = [path.name for path in subfolders if _divided(path)]
    if sets:
        raise DataError(
            f"{root} contains {counted(len(sets), 'folder')} with separate training and test parts ({_listed(sets)}): "
            f"name one, as in {_remedy(source, sets[0])}"
        )


def _divided(folder: Path) -> bool:
    with os.scandir(folder) as entries:  # there may be a million, so they are not sorted
        parts = {part for entry in entries if entry.is_dir() and (part := part_named(entry.name))}
    return TRAIN in parts and len(parts) > 1


def _subfolders(root: Path) -> list[Path]:
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()]
    return [root / name for name in sorted(names)]


def _holds(folder: Path, endings: AbstractSet[str]) -> bool:
    return any(name[name.rfind(".") :].lower() in endings for _, _, names in os.walk(folder) for name in names)


def _inside(source: DataSource, name: str) -> str:
    return f"{(source.path or '').rstrip('/')}/{name}"


def _remedy(source: DataSource, name: str) -> str:
    return f'`{source.name} "{_inside(source, name)}"`'


def _pair(source: DataSource, first: str, second: str) -> str:
    return f'`{source.name} "{_inside(source, first)}" target="{_inside(source, second)}"`'


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first[:5])}{' and ' if first else ''}{last}"
