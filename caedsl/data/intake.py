"""The images of a source read for the first time: all checked, and kept in memory if there is room for them."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from caedsl.data.fit import Fit, Scale, blank
from caedsl.data.memory import available_memory
from caedsl.data.pixels import Held, Pixels, Streamed, span_of
from caedsl.data.prefetch import ahead, workers
from caedsl.data.scratch import Scratch
from caedsl.data.source_reader import Request, describe
from caedsl.data.stack import Index, Stack

_BLOCK_BYTES = 1 << 24
_BLOCK_IMAGES = 512
SHARE = 0.5
"""The share of the memory that is available which images may take: the model, its training and the system need some."""


class Intake:
    """Reads the parts of one source, training images before test images, and sums up what it has read.

    ``memory`` is what is available, in bytes; None asks the system.
    """

    def __init__(self, request: Request, memory: int | None = None) -> None:
        self.request = request
        self.memory = memory
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The checksum of all that was read."""
        return self._digest.hexdigest()

    def read(self, stack: Stack, index: Index) -> tuple[Pixels, tuple[str, ...]]:
        """The images of these numbers, and what is to be said of them; a ``DataError`` where they cannot be used."""
        fit = self.request.fit
        kept = Kept(len(index), fit, stack.scale, stack.value_bytes, self._room())
        scratch = None if kept.values is not None or stack.ready else self._scratch(stack, index)
        remarks: Counter[str] = Counter()
        least, most, done = float("inf"), float("-inf"), 0
        for block in ahead(stack.read, _blocks(index, fit), most=workers() + 1):
            self._digest.update(block.stored)
            remarks.update(block.remarks)
            low, high = span_of(block.values, stack.scale)
            least, most = min(least, low), max(most, high)
            kept.add(block.values)
            if scratch is not None and not scratch.add(block.values):
                scratch = None
            done += len(block.values)
            self.request.progress(f"reading {describe(self.request.source)}", done, len(index), "images")
        notes = stack.conclude(remarks, len(index))
        if kept.values is not None:
            return Held(kept.values, stack.scale, (least, most)), notes
        way = "read from their files as they are needed"
        if scratch is not None:
            stack, index = scratch.stack(describe(self.request.source)), np.arange(len(index))
            way = f"decoded once, into a file in {self._folder} that goes when the run ends, and read from there"
        shape = (fit.channels, fit.height, fit.width)
        return Streamed(stack, index, shape, (least, most)), (*notes, f"{kept.refusal}: they are {way}")

    @property
    def _folder(self) -> Path:
        """Where there is room for large files: where data sets are downloaded to."""
        return self.request.data_folders[0]

    def _scratch(self, stack: Stack, index: Index) -> Scratch | None:
        return Scratch.open(self._folder, len(index), self.request.fit, stack.scale)

    def _room(self) -> int | None:
        memory = available_memory() if self.memory is None else self.memory
        # torchrun says how many processes share this machine; each holds the images for itself.
        processes = max(1, int(os.environ.get("LOCAL_WORLD_SIZE") or 1))
        return None if memory is None else int(SHARE * memory / processes)


class Kept:
    """Images in memory, as they come, for as long as they take no more than ``room`` bytes: bytes as long as all are."""

    def __init__(self, count: int, fit: Fit, scale: Scale, value_bytes: int, room: int | None) -> None:
        self.count, self.fit, self.scale, self.room = count, fit, scale, room
        self.refusal = ""
        self.values = self._blank(value_bytes)
        self._there = 0

    def _blank(self, value_bytes: int) -> Tensor | None:
        """Room for values of so many bytes, if there is any."""
        needed = self.count * self.fit.channels * self.fit.height * self.fit.width * value_bytes
        if self.room is None or needed <= self.room:
            try:
                return blank(self.count, self.fit, torch.uint8 if value_bytes == 1 else torch.float32)
            except RuntimeError:
                pass
        free = "" if self.room is None else f", and {_size(int(self.room / SHARE))} are free"
        self.refusal = f"{self.count:,} images of {self.fit.input} take {_size(needed)} of memory{free}"
        return None

    def add(self, values: Tensor) -> None:
        """Keep the next images; once one is no bytes, all are kept in 32 bits, or no longer."""
        if self.values is None:
            return
        before = self.values
        if values.dtype != torch.uint8 and before.dtype == torch.uint8:
            self.values = wider = self._blank(value_bytes=4)
            if wider is None:
                return
            wider[: self._there] = self.scale(before[: self._there])
            before = wider
        before[self._there : self._there + len(values)] = values if values.dtype == before.dtype else self.scale(values)
        self._there += len(values)


def _blocks(index: Index, fit: Fit) -> Iterator[Index]:
    images = max(1, min(_BLOCK_IMAGES, _BLOCK_BYTES // (4 * fit.channels * fit.height * fit.width)))
    for start in range(0, len(index), images):
        yield index[start : start + images]


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
