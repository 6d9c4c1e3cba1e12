"""The samples of a source read for the first time: all checked, and kept in memory if there is room for them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import BrokenImagesError, DataError, listing
from caedsl.data.fit import SampleFormat, ValueScale, blank
from caedsl.data.launcher import launched
from caedsl.data.memory import available_memory
from caedsl.data.pixels import Held, Pixels, Streamed, span_of
from caedsl.data.prefetch import ahead, workers
from caedsl.data.scratch import Scratch
from caedsl.data.source_reader import Request, describe
from caedsl.data.stack import Index, RawSamples, Stack

_BLOCK_BYTES = 1 << 24
_BLOCK_IMAGES = 512
_SCAN_SECONDS = 20
"""How long reading goes on after the first broken file, so that one error names all that are broken."""
SHARE = 0.5
"""The share of the memory that is available which images may take: the model, its training and the system need some."""


@dataclass(frozen=True)
class TakenImages:
    """What was read of a part: the images with the numbers ``index``, what is to be said of them, what was left out."""

    pixels: Pixels
    index: Index
    notes: tuple[str, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """What was read of a block: the images with the numbers ``index``, and why others cannot be used."""

    index: Index
    block: RawSamples | None
    broken: Mapping[int, str]


class Intake:
    """Reads the parts of one source, training images first, and sums up what it has read.

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

    def read(self, stack: Stack, index: Index) -> TakenImages:
        """Read the images of these numbers; raise a ``DataError`` that names all of them that cannot be used.

        With ``skip=broken`` these are left out.
        """
        fit, name = self.request.fit, describe(self.request.source)
        kept = Kept(len(index), fit, stack.scale, stack.value_bytes, self._room())
        scratch = None if kept.values is not None or stack.ready else self._scratch(stack, index)
        remarks: Counter[str] = Counter()
        least, most = float("inf"), float("-inf")
        good: list[Index] = []
        broken: dict[int, str] = {}
        for numbers, block in self._scan(stack, index, broken):
            good.append(numbers)
            self._digest.update(block.stored)
            remarks.update(block.remarks)
            low, high = span_of(block.values, stack.scale)
            least, most = min(least, low), max(most, high)
            kept.add(block.values)
            if scratch is not None and not scratch.add(block.values):
                scratch = None
        there, skipped = np.concatenate(good), tuple(broken.values())
        notes = stack.conclude(remarks, len(there))
        if skipped:
            notes = (*notes, f"{len(skipped):,} of {len(index):,} {fit.noun}s left out as broken: {_first(skipped)}")
        if kept.values is not None:
            return TakenImages(Held(kept.values[: len(there)], stack.scale, (least, most)), there, notes, skipped)
        way, rows = "read from their files as they are needed", there
        if scratch is not None:
            stack, rows = scratch.stack(name), np.arange(len(there))
            way = f"decoded once, into a file in {self.request.store} that goes when the run ends, and read from there"
        streamed = Streamed(stack, rows, fit.shape, (least, most))
        return TakenImages(streamed, there, (*notes, f"{kept.refusal}: they are {way}"), skipped)

    def _scan(self, stack: Stack, index: Index, broken: dict[int, str]) -> Iterator[tuple[Index, RawSamples]]:
        """Read all images in blocks, and give out those that can be used; why others cannot is put into ``broken``."""
        good, end = 0, float("inf")
        task = f"reading {describe(self.request.source)}"
        for piece in pieces(stack, index, self.request.fit):
            good += len(piece.index)
            broken |= piece.broken
            self.request.progress(task, good + len(broken), len(index), f"{self.request.fit.noun}s")
            if piece.block is not None and (self._skips or not broken):
                yield piece.index, piece.block
            elif not self._skips and monotonic() > (end := min(end, monotonic() + _SCAN_SECONDS)):
                break
        if broken and not (self._skips and good):
            raise DataError(self._unusable(broken, len(broken) + good, len(index)))

    def _unusable(self, broken: Mapping[int, str], seen: int, count: int) -> str:
        noun = f"{self.request.fit.noun}s"
        among = f"{seen:,} {noun}" if seen == count else f"the first {seen:,} of {count:,} {noun}"
        text = f"{len(broken):,} of {among} of {describe(self.request.source)} cannot be used"
        remedy = "" if self._skips else "\nto leave such files out, add `skip=broken` to the source"
        return f"{text}:\n{listing(list(broken.values()), 'files')}{remedy}"

    @property
    def _skips(self) -> bool:
        return self.request.source.skip == "broken"

    def _scratch(self, stack: Stack, index: Index) -> Scratch | None:
        store = self.request.store
        return None if store is None else Scratch.open(store, len(index), self.request.fit, stack.scale)

    def _room(self) -> int | None:
        memory = available_memory() if self.memory is None else self.memory
        # torchrun says how many processes share this machine; each holds the images for itself.
        processes = max(1, launched("LOCAL_WORLD_SIZE", 1))
        return None if memory is None else int(SHARE * memory / processes)


class Kept:
    """Images in memory, for as long as they take no more than ``room`` bytes: kept as bytes while all are bytes."""

    def __init__(self, count: int, fit: SampleFormat, scale: ValueScale, value_bytes: int, room: int | None) -> None:
        self.count, self.fit, self.scale, self.room = count, fit, scale, room
        self.refusal = ""
        self.values = self._blank(value_bytes)
        self._there = 0

    def _blank(self, value_bytes: int) -> Tensor | None:
        """Room for values of so many bytes, if there is any."""
        needed = self.count * self.fit.values * value_bytes
        if self.room is None or needed <= self.room:
            try:
                return blank(self.count, self.fit, torch.uint8 if value_bytes == 1 else torch.float32)
            except RuntimeError:
                pass
        free = "" if self.room is None else f", and {_size(int(self.room / SHARE))} are free"
        self.refusal = f"{self.count:,} {self.fit.noun}s of {self.fit.input} take {_size(needed)} of memory{free}"
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


def pieces(stack: Stack, index: Index, fit: SampleFormat) -> Iterator[Piece]:
    """Read the images of these numbers block by block, a few blocks ahead."""
    image_bytes = max(4 * fit.values, stack.read_bytes)
    images = max(1, min(_BLOCK_IMAGES, _BLOCK_BYTES // image_bytes))
    blocks = (index[start : start + images] for start in range(0, len(index), images))
    return ahead(partial(_attempt, stack), blocks, most=workers() + 1)


def _attempt(stack: Stack, index: Index) -> Piece:
    """Read a block, and where some of its images are broken the others."""
    try:
        return Piece(index, stack.read(index), {})
    except BrokenImagesError as error:
        good = index[~np.isin(index, list(error.broken))]
        return Piece(good, stack.read(good) if len(good) else None, error.broken)


def _first(messages: Sequence[str], count: int = 3) -> str:
    more = len(messages) - count
    return "; ".join(messages[:count]) + (f"; and {more:,} more" if more > 0 else "")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
