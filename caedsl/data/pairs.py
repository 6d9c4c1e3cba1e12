"""Pairs of inputs and targets: matched by name if they are files, and by position if they are arrays."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from caedsl.data.errors import DataError, listing
from caedsl.data.files.file_listing import Files
from caedsl.data.files.folder_layout import PARTS, TEST, TRAIN, VALIDATION
from caedsl.data.files.regular_file import open_regular
from caedsl.data.patches import Patches
from caedsl.data.readers.source_reader import Request, UnreadImages, describe
from caedsl.data.sources import reader_of
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.stack import Stack
from caedsl.data.stacks.window_stack import WindowStack
from caedsl.diagnostics.text import counted
from caedsl.model.data import DataSource
from caedsl.vocabulary.shape import Sizes, text

_COMPARED = 200
"""Compare the sizes of this many evenly spaced pairs of image files before all are read."""
_DOUBLE_ENDINGS = (".nii.gz",)
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5
"""Tag of the orientation of a picture, and the first of its values that swaps the sides."""


def find(request: Request) -> UnreadImages:
    """Return the samples of a source, with targets if the request asks for them.

    Raise a ``DataError`` if inputs and targets are not pairs.
    """
    found, wanted = reader_of(request.source.name)(request), request.targets
    if wanted is None:
        return found
    targets = reader_of(wanted.source.name)(wanted)
    made: dict[str, Any] = {
        part: _part(part, getattr(found, part), getattr(targets, part), request, wanted) for part in PARTS
    }
    return replace(found, targets=replace(targets, **made))


def target_request(request: Request, wanted: Request) -> Request:
    """Return the request for the targets of a source; ``wanted`` has the target's format."""
    source = request.source
    if source.kind.generated and wanted.fit.shape != request.fit.shape:
        raise DataError(
            f"`data {source.name}` generates samples of the input's size, {request.fit.input}, but the target is "
            f"{wanted.fit.input}: remove `target`, or train on files"
        )
    windows: dict[str, Any] = {"window": source.window or request.fit.space[0]} if source.kind.ranks == (1,) else {}
    if source.target is None:
        return replace(wanted, source=replace(source, **windows))
    named: dict[str, Any] = {source.kind.target_field: source.target, "labels": None, "weights": None, "target": None}
    if source.kind.has_target_options:
        named |= {part: getattr(source, f"{part}_target") for part in (VALIDATION, TEST)}
    return replace(wanted, source=replace(source, **windows, **named))


def _part(part: str, inputs: Stack | None, targets: Stack | None, request: Request, wanted: Request) -> Stack | None:
    if request.source.target is None:
        return targets
    if inputs is None:
        if part != TRAIN and getattr(wanted.source, part) is not None and request.source.kind.has_target_options:
            raise DataError(
                f"`{part}_target=` names targets, but {describe(request.source)} has no {part} samples: name them with "
                f"`{part}=`"
            )
        return None
    name, other = _called(request.source, part), _called(wanted.source, part)
    if targets is None:
        raise DataError(f"{name} has {part} samples, but its targets {other} have none: split both in the same way")
    apart = not wanted.source.kind.lists_files
    if apart and isinstance(inputs, FolderStack) and isinstance(targets, FolderStack):
        order = _matched(inputs.paths, inputs.root, targets.paths, targets.root, name, other)
        paths = targets.paths
        targets = replace(
            targets, paths=paths.at(order) if isinstance(paths, Files) else [paths[n] for n in order], labels=None
        )
    if isinstance(inputs, WindowStack) and isinstance(targets, WindowStack):
        targets = _clips(inputs, targets, name, other)
    compare(inputs, targets, name, other)
    return targets


def _called(source: DataSource, part: str) -> str:
    """Return the samples of a part as a spec writes them: the source, or what ``validation=`` or ``test=`` names."""
    written = None if part == TRAIN else getattr(source, part)
    if written is None:
        return describe(source)
    return f"{describe(source)} {part}={written}" if source.kind.target_field == "key" else f'{source.name} "{written}"'


def compare(inputs: Stack, targets: Stack, name: str, other: str) -> None:
    """Reject inputs and targets that differ in number or in proportions; messages call them ``name`` and ``other``."""
    if len(inputs) != len(targets):
        raise DataError(
            f"{name} has {counted(len(inputs), 'sample')}, but its targets {other} are {len(targets):,}: store one "
            "target per sample, in the same order"
        )
    _compare_sizes(inputs, targets)


def _clips(inputs: WindowStack, targets: WindowStack, called: str, other: str) -> WindowStack:
    """Return the windows of the targets in the order of those of the inputs."""
    if inputs.root.is_dir() and targets.root.is_dir():
        paths = [[clip.path for clip in stack.clips] for stack in (inputs, targets)]
        order = _matched(paths[0], inputs.root, paths[1], targets.root, called, other)
        targets = replace(targets, clips=[targets.clips[place] for place in order], labels=None)
    for clip, wanted in zip(inputs.clips, targets.clips, strict=False):
        if clip.length != wanted.length:
            raise DataError(
                f"{clip.path} has {counted(clip.length, 'frame')}, but its target {wanted.path} has {wanted.length:,}: "
                "cut both to the same length"
            )
    return targets


def _matched(
    paths: Sequence[Path], root: Path, others: Sequence[Path], other_root: Path, called: str, other: str
) -> list[int]:
    """Return the position of the target of each file: the one with the same name, ignoring endings."""
    known = _by_name(others, other_root)
    names = _by_name(paths, root)
    alone = [f"{paths[n]} has no target {other_root / name}.*" for name, n in names.items() if name not in known]
    unused = [f"{others[n]} has no input {root / name}.*" for name, n in known.items() if name not in names]
    if alone or unused:
        raise DataError(
            f"{called} and its targets {other} contain {counted(len(alone) + len(unused), 'file')} without a partner "
            "of the same name:",
            *listing([*alone, *unused], "files"),
            "add the missing files, or remove these",
        )
    return [known[name] for name in names]


def _by_name(paths: Sequence[Path], root: Path) -> dict[str, int]:
    """Return the position of each file by its name relative to ``root``, without endings."""
    written = paths.names if isinstance(paths, Files) else [str(path.relative_to(root)) for path in paths]
    found: dict[str, int] = {}
    for place, name in enumerate(written):
        first = found.setdefault(_stem(name.replace(os.sep, "/")), place)
        if first != place:
            raise DataError(
                f"{paths[first]} and {paths[place]} differ only in their endings, so their partners are ambiguous: "
                "rename one of the two"
            )
    return found


def _stem(name: str) -> str:
    """Return a relative name without its ending."""
    for ending in _DOUBLE_ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{file.rpartition('.')[0] or file}"


def _compare_sizes(inputs: Stack, targets: Stack) -> None:
    """Reject pairs whose sides are not proportional: after resizing they would show different things."""
    if isinstance(inputs, ArrayStack) and isinstance(targets, ArrayStack):
        if not _proportional(inputs.space, targets.space):
            raise DataError(_unequal(inputs.file, inputs.space, targets.file, targets.space))
        return
    if not isinstance(inputs, FolderStack) or not isinstance(targets, FolderStack) or inputs.decode is not None:
        return
    # Patches of pairs show the same place only if every target has the declared scale.
    files = len(inputs.paths)
    compared = files if inputs.patches else min(_COMPARED, files)
    for place in np.linspace(0, files - 1, compared).round().astype(int).tolist():
        pair = inputs.paths[place], targets.paths[place]
        first, second = map(_size, pair)
        if first is None or second is None:
            continue
        if not _proportional(first, second):
            raise DataError(_unequal(str(pair[0]), first, str(pair[1]), second))
        if not _same_places(inputs.patches, first, targets.patches, second):
            raise DataError(
                f"{pair[0]} is {text(first)}, and its target {pair[1]} {text(second)}: patches of "
                f"{text(inputs.fit.space)} and {text(targets.fit.space)} need sizes with the same ratio"
            )


def _proportional(first: Sizes, second: Sizes) -> bool:
    """Return whether all sides differ by the same factor, up to a pixel."""
    factor = max(second) / max(first)
    return all(abs(a * factor - b) <= max(1.0, factor) for a, b in zip(first, second, strict=True))


def _same_places(patches: Patches | None, size: Sizes, others: Patches | None, other: Sizes) -> bool:
    """Return whether the patches of an image and of its target show the same places."""
    return patches is None or others is None or patches.places(size) == others.places(other)


def _unequal(first: str, size: Sizes, second: str, other: Sizes) -> str:
    return (
        f"{first} is {text(size)}, but its target {second} is {text(other)}, which has other proportions: crop both "
        "in the same way, so that they show the same place"
    )


def _size(path: Path) -> Sizes | None:
    """Return height and width of an image file as displayed, or None if it cannot be read, which is reported later."""
    from PIL import Image, UnidentifiedImageError

    from caedsl.data.files.decoding import FORMATS

    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as picture:
            turned = picture.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE
            width, height = picture.size
            return (width, height) if turned else (height, width)
    except (OSError, DataError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
