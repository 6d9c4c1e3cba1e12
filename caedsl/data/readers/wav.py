"""Sound: WAV files of 8, 16, 24 or 32 bits, cut into windows that are read on demand."""

import os
import wave
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from caedsl.data.errors import BrokenImagesError, DataError, UnavailableError, listing
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.files.listing import Files, file_name, files_in
from caedsl.data.files.regular_file import open_regular
from caedsl.data.fit import SampleFormat, ValueScale, resized
from caedsl.data.readers.part_folders import part_classes, part_roots
from caedsl.data.readers.source_reader import Request, UnreadImages, reason
from caedsl.data.stacks.picture_stack import MANY_FILES
from caedsl.data.stacks.prefetch import ahead, workers
from caedsl.data.stacks.stack import LARGE_BYTES, Index, Labels, RawSamples, Weights
from caedsl.data.windows import Windows, window_name, windows_of
from caedsl.diagnostics.text import counted

_ENDINGS = frozenset((".wav", ".wave"))
_BITS = (1, 2, 3, 4)
"""Bytes per value; 8-bit values are unsigned, all others signed."""
_BLOCK = 256
"""Open this many files at a time in a thread."""


class Clip(NamedTuple):
    """Sound file: its channels, bytes per value, rate in Hz, length in frames, size and time of change."""

    path: Path
    channels: int
    width: int
    rate: int
    length: int
    stamp: tuple[int, int]


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
            "to skip such files, add `skip=broken` to the source",
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
        with open_regular(path) as file, wave.open(file) as sound:
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


@dataclass
class WindowStack:
    """Windows of clips below the folder ``root`` (or of that file), read on demand; values of -1..1 fill the range."""

    root: Path
    clips: Sequence[Clip]
    cut: Windows
    fit: SampleFormat
    labels: Labels | None = None
    weights: Weights | None = None

    def __post_init__(self) -> None:
        self._ends = list(accumulate(self.cut.count(clip.length) for clip in self.clips))

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def scale(self) -> ValueScale:
        """See ``Stack.scale``: values are already float32 in the range."""
        return ValueScale(1, self.fit)

    @property
    def value_bytes(self) -> int:
        """See ``Stack.value_bytes``."""
        return 4

    @property
    def read_bytes(self) -> int:
        """See ``Stack.read_bytes``."""
        return 8 * self.fit.channels * self.cut.length

    @property
    def ready(self) -> bool:
        """See ``Stack.ready``: reading is cheap, unless many files must be opened."""
        return self.cut.length == self.fit.space[0] and len(self.clips) <= MANY_FILES

    def is_large(self, index: Index) -> bool:
        """See ``Stack.is_large``."""
        frame_bytes = max(clip.channels * clip.width for clip in self.clips)
        files = min(len(index), len(self.clips))
        return files > MANY_FILES or len(index) * self.cut.length * frame_bytes > LARGE_BYTES

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        clips = "\n".join(f"{clip.path.name} {clip.length}" for clip in self.clips)
        return f"{clips}\n{self.cut.length} {self.cut.step} {len(index)}".encode("utf-8", "surrogateescape")

    def read(self, index: Index) -> RawSamples:
        """See ``Stack.read``."""
        stored: list[bytes] = []
        values: list[NDArray[np.float32]] = []
        broken: dict[int, str] = {}
        for number in index.tolist():
            clip, start = self._place(number)
            try:
                stored.append(self._frames(clip, start))
                values.append(_decoded(stored[-1], clip))
            except DataError as error:
                broken[number] = str(error)
        if broken:
            raise BrokenImagesError(*listing(list(broken.values()), "windows"), broken=broken)
        unit = torch.from_numpy(np.stack(values))
        if self.fit.range.bounded:
            low, high = self.fit.low, self.fit.high
            unit = unit.add_(1).mul_((high - low) / 2).add_(low).clamp_(low, high)
        return RawSamples(resized(unit, self.fit), b"".join(stored), sizes=((self.cut.length,),) * len(index))

    def _place(self, number: int) -> tuple[Clip, int]:
        """Return the clip of a window, and its first frame."""
        place = bisect_right(self._ends, number)
        before = self._ends[place - 1] if place else 0
        return self.clips[place], (number - before) * self.cut.step

    def _frames(self, clip: Clip, start: int) -> bytes:
        try:
            with open_regular(clip.path) as file:
                status = os.fstat(file.fileno())
                if (status.st_size, status.st_mtime_ns) != clip.stamp:
                    raise DataError(f"{clip.path} was changed while it was in use: restore it")
                with wave.open(file) as sound:
                    sound.setpos(start)
                    frames: bytes = sound.readframes(self.cut.length)
        except OSError as error:
            raise DataError(f"{clip.path} cannot be read: {reason(error)}") from error
        except (wave.Error, EOFError, ValueError, RuntimeError) as error:
            raise DataError(f"{clip.path} is damaged: {reason(error)}") from error
        if len(frames) != self.cut.length * clip.channels * clip.width:
            raise DataError(f"{clip.path} is damaged: it ends before frame {start + self.cut.length:,}")
        return frames

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``: the file, relative to the folder of the source, and the first frame of each window."""
        places = map(self._place, index.tolist())
        return [window_name(file_name(clip.path, self.root), start) for clip, start in places]

    def conclude(self, remarks: Counter[str], images: int) -> tuple[str, ...]:
        """Report resized windows."""
        if self.cut.length == self.fit.space[0]:
            return ()
        return (f"resized from {self.cut.length} to {self.fit.space[0]} ({self.fit.resize})",)


def _decoded(frames: bytes, clip: Clip) -> NDArray[np.float32]:
    """Return frames as channels × length in -1..1."""
    values: NDArray[np.float32]
    if clip.width == 1:
        values = (np.frombuffer(frames, np.uint8).astype(np.float32) - 128) / np.float32(128)
    elif clip.width == 3:
        # Pad three bytes to four, with the padding as the lowest byte.
        wide = np.zeros((len(frames) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(frames, np.uint8).reshape(-1, 3)
        values = wide.reshape(-1).view("<i4").astype(np.float32) / np.float32(2**31)
    else:
        values = np.frombuffer(frames, f"<i{clip.width}").astype(np.float32) / np.float32(2 ** (8 * clip.width - 1))
    return np.ascontiguousarray(values.reshape(-1, clip.channels).T)
