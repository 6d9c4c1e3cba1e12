"""Sound: WAV files of 8, 16, 24 or 32 bits, cut into windows that are read on demand."""

import os
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from caedsl.data.errors import DataError, UnavailableError, listing, reason
from caedsl.data.files.file_listing import Files, file_name, files_in
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.files.regular_file import open_regular
from caedsl.data.readers.part_folders import part_classes, part_roots
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.sample_format import SampleFormat
from caedsl.data.signal_windows import Windows, windows_of
from caedsl.data.stacks.prefetch import ahead, workers
from caedsl.data.stacks.stack import Labels
from caedsl.data.stacks.window_stack import Clip, WindowStack
from caedsl.diagnostics.text import counted

_ENDINGS = frozenset((".wav", ".wave"))
_BITS = (1, 2, 3, 4)
"""Bytes per value; 8-bit values are unsigned, all others signed."""
_BLOCK = 256
"""Open this many files at a time in a thread."""
_FIRST_CHUNK = 12
"""Bytes before the first chunk: RIFF, the size of the file, WAVE."""
_MOST_CHUNKS = 1000
"""Most chunks before the data: hardly any file has more than ten."""


def read(request: Request) -> UnreadImages:
    """Find the windows of a WAV file, or of all below a folder, sorted by name.

    Subfolders for training, validation and testing are read as such. Labels are subfolders.
    """
    notes: list[str] = []
    roots = part_roots(request, _ENDINGS, notes)
    paths = {part: _sounds(root, request, notes) for part, root in roots.items()}
    cut = windows_of(request.source, request.fit)
    clips: dict[str, list[Clip]] = {}
    broken: list[str] = []
    for part, found in paths.items():
        first = next(iter(clips.get(TRAIN, ())), None)
        clips[part] = _clips(found, request, cut, first, broken)
    count = sum(map(len, paths.values()))
    if broken and request.source.skip != "broken":
        raise DataError(
            f"{len(broken):,} of {counted(count, 'sound')} cannot be used:",
            *listing(broken, "files"),
            "correct or remove these files"
            if request.fit.trained
            else "to skip such files, add `skip=broken` to the source",
        )
    if not clips[TRAIN]:
        raise DataError(
            f"none of the {counted(count, 'sound')} of {roots[TRAIN]} can be used:", *listing(broken, "files")
        )
    if broken:
        notes.append(f"{len(broken):,} of {counted(count, 'sound')} skipped as broken: {'; '.join(broken[:3])}")
    names = {part: [file_name(clip.path, roots[part]) for clip in found] for part, found in clips.items()}
    classes = part_classes(names, roots, request, notes)
    stacks = {
        part: WindowStack(roots[part], found, cut, request.fit, _window_labels(classes.labels[part], found, cut))
        for part, found in clips.items()
        if found
    }
    return UnreadImages(
        stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), classes.names, notes=(*notes, *cut.notes)
    )


def _sounds(root: Path, request: Request, notes: list[str]) -> Files:
    if not root.is_dir():
        return Files(root.parent, [root.name])
    found = files_in(root, request.root, notes, _ENDINGS, "sounds")
    if not found:
        raise UnavailableError(f"{root} contains no sounds (.wav)", f"put WAV files into {root}")
    return found


def _window_labels(labels: Labels | None, clips: Sequence[Clip], cut: Windows) -> Labels | None:
    """Return the label of each window, given those of the clips."""
    return None if labels is None else np.repeat(labels, [cut.count(clip.length) for clip in clips])


def _clips(paths: Sequence[Path], request: Request, cut: Windows, first: Clip | None, broken: list[str]) -> list[Clip]:
    """Return the usable files, and add to ``broken`` why others cannot be used with the ``first`` one, if there is one.

    Threads read the headers, a few blocks ahead.
    """
    clips: list[Clip] = []
    done = 0
    blocks = (paths[start : start + _BLOCK] for start in range(0, len(paths), _BLOCK))
    for opened in ahead(_all_opened, blocks, most=workers() + 1):
        for clip in opened:
            try:
                clips.append(_checked(clip, request.fit, cut, first or next(iter(clips), None)))
            except DataError as error:
                broken.append(str(error))
        done += len(opened)
        request.progress("reading the headers of sounds", done, len(paths), "sounds")
    return clips


def _all_opened(paths: Sequence[Path]) -> list[Clip | DataError]:
    """Return each file, or why it cannot be used."""
    opened: list[Clip | DataError] = []
    for path in paths:
        try:
            opened.append(_opened(path))
        except DataError as error:
            opened.append(error)
    return opened


def _opened(path: Path) -> Clip:
    try:
        with open_regular(path) as file, wave.open(_few_chunks(file)) as sound:
            status = os.fstat(file.fileno())
            found = Clip(
                path,
                sound.getnchannels(),
                sound.getsampwidth(),
                sound.getframerate(),
                sound.getnframes(),
                (status.st_size, status.st_mtime_ns),
            )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    except (wave.Error, EOFError, ValueError, ArithmeticError, RuntimeError) as error:
        raise DataError(f"{path} is not a WAV file of whole numbers, or is damaged: {reason(error)}") from error
    if found.length * found.channels * found.width > status.st_size:
        raise DataError(f"{path} is damaged: it has {status.st_size:,} bytes, too few for {found.length:,} frames")
    return found


def _few_chunks(file: BinaryIO) -> BinaryIO:
    """Return a file at its start; raise ``wave.Error`` if skipping the chunks before its data would take long."""
    file.seek(_FIRST_CHUNK)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head.startswith(b"data"):
            file.seek(0)
            return file
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, os.SEEK_CUR)
    raise wave.Error(f"it has more than {_MOST_CHUNKS:,} chunks before its data")


def _checked(clip: Clip | DataError, fit: SampleFormat, cut: Windows, first: Clip | None) -> Clip:
    """Return a file that can be used with the ``first``; raise a ``DataError`` otherwise."""
    if isinstance(clip, DataError):
        raise clip
    if clip.channels != fit.channels:
        raise DataError(
            f"{clip.path} has {counted(clip.channels, 'channel')}, but the {fit.word} is {fit.input}: "
            + (
                f"convert it to {counted(fit.channels, 'channel')}"
                if fit.trained
                else f"write `{fit.word} {fit.input_of(clip.channels)}`"
            )
        )
    if clip.width not in _BITS:
        raise DataError(f"{clip.path} has values of {8 * clip.width} bits: save it with 8, 16, 24 or 32 bits")
    if clip.length < cut.length:
        raise DataError(f"{clip.path} has {counted(clip.length, 'frame')}, fewer than the window of {cut.length:,}")
    if first is not None and clip.rate != first.rate:
        raise DataError(f"{clip.path} has {clip.rate:,} frames per second, but {first.path.name} has {first.rate:,}")
    return clip
