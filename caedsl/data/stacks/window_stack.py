"""Windows of sound files, read on demand."""

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

from caedsl.data.errors import BrokenImagesError, DataError, listing, reason
from caedsl.data.files.file_listing import file_name
from caedsl.data.files.regular_file import open_regular
from caedsl.data.sample_format import SampleFormat, ValueScale, resized
from caedsl.data.signal_windows import Windows, window_name
from caedsl.data.stacks.picture_stack import MANY_FILES
from caedsl.data.stacks.stack import LARGE_BYTES, Index, Labels, RawSamples, Weights


class Clip(NamedTuple):
    """Sound file: its channels, bytes per value, rate in Hz, length in frames, size and time of change."""

    path: Path
    channels: int
    width: int
    rate: int
    length: int
    stamp: tuple[int, int]


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
