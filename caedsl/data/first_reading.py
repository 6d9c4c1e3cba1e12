"""First reading of a source's samples: all are checked, and kept in memory if there is space."""

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
from caedsl.data.launcher import launched
from caedsl.data.readers.source_reader import Request, describe
from caedsl.data.sample_format import SampleFormat, ValueScale, blank
from caedsl.data.stacks.cached_stack import Cached, CachedRows, CachedStack, RowsInMemory
from caedsl.data.stacks.pixels import Held, Pixels, Span, Streamed, span_of
from caedsl.data.stacks.prefetch import ahead, workers
from caedsl.data.stacks.scratch import Scratch
from caedsl.data.stacks.stack import Index, RawSamples, Stack
from caedsl.diagnostics.text import counted
from caedsl.machine.memory import available_memory

_BLOCK_BYTES = 1 << 24
_BLOCK_IMAGES = 512
_SCAN_SECONDS = 20
"""Continue reading for this long after the first broken file, so that one error names all broken files."""
_LOOKED_AT, _LEAST_LOOKED_AT, _LOOKED_AT_VALUES = 256, 8, 1 << 24
"""Read this many samples of a large source before the first step, or fewer if they have more values."""
SHARE = 0.5
"""Use at most this share of the available memory for samples; the model, its training and the system need some."""


@dataclass(frozen=True)
class ReadSamples:
    """Result of reading a part: the samples with the numbers ``index``, the remarks, what was skipped, a checksum."""

    pixels: Pixels
    index: Index
    notes: tuple[str, ...]
    skipped: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Piece:
    """Result of reading a block: the samples with the numbers ``index``, and why others cannot be used."""

    index: Index
    block: RawSamples | None
    broken: Mapping[int, str]


class _SampleSummary:
    """Summary of the samples that were read: remarks, and the range of their values."""

    def __init__(self) -> None:
        self.remarks: Counter[str] = Counter()
        self.span: Span = (float("inf"), float("-inf"))

    def add(self, block: RawSamples, scale: ValueScale) -> None:
        """Add a block of samples."""
        self.remarks.update(block.remarks)
        low, high = span_of(block.values, scale)
        self.span = min(self.span[0], low), max(self.span[1], high)


class FirstReading:
    """Reader of the parts of one source, training samples first.

    ``memory`` is the available memory in bytes; None asks the system.
    """

    def __init__(self, request: Request, memory: int | None = None) -> None:
        self.request = request
        self.memory = memory
        self._digest = hashlib.sha256()
        self._part_digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Checksum of everything that was read."""
        return self._digest.hexdigest()

    def read(self, stack: Stack, index: Index) -> ReadSamples:
        """Read the samples with these numbers; raise a ``DataError`` that names all that cannot be used.

        With ``skip=broken`` these are skipped. Of a large source only some are read first, and the others on demand; a
        broken file is then an error when it is reached.
        """
        self._part_digest = hashlib.sha256()
        if self._skips or not stack.is_large(index):
            return self._read_all(stack, index)
        return self._read_some(stack, index)

    def _digested(self, content: bytes | memoryview) -> None:
        self._digest.update(content)
        self._part_digest.update(content)

    def _read_all(self, stack: Stack, index: Index) -> ReadSamples:
        fit = self.request.fit
        kept = SamplesInMemory(len(index), fit, stack.scale, stack.value_bytes, self._room())
        cache: CachedStack | None = None
        seen = _SampleSummary()
        good: list[Index] = []
        done = 0
        broken: dict[int, str] = {}
        for numbers, block in self._scan(stack, index, broken):
            places, done = np.arange(done, done + len(numbers)), done + len(numbers)
            good.append(numbers)
            self._digested(block.stored)
            seen.add(block, stack.scale)
            kept.add(block.values)
            if kept.values is None and not stack.ready and (cache is not None or not places[0]):
                cache = cache or CachedStack(stack, index, self._scratch(len(index), stack.scale, block.values.dtype))
                cache = cache if cache.put(places, block.values) else None
        skipped = tuple(dict.fromkeys(broken.values()))
        there, sha = np.concatenate(good), self._part_digest.hexdigest()
        notes = stack.conclude(seen.remarks, len(there))
        if skipped:
            notes = (
                *notes,
                f"{len(broken):,} of {counted(len(index), fit.noun)} skipped as broken: {_first(skipped)}",
            )
        if kept.values is not None:
            return ReadSamples(Held(kept.values[: len(there)], stack.scale, seen.span), there, notes, skipped, sha)
        streamed, way = Streamed(stack, there, fit.shape, seen.span), "read from their files when they are needed"
        if cache is not None:
            streamed = Streamed(cache, np.arange(len(there)), fit.shape, seen.span)
            way = f"decoded once into a file in {self.request.store}, which is deleted when the run ends"
        return ReadSamples(streamed, there, (*notes, f"{kept.refusal}, so they are {way}"), skipped, sha)

    def _read_some(self, stack: Stack, index: Index) -> ReadSamples:
        """Read a few evenly spaced samples of a large source; read all only if that is mere copying."""
        fit = self.request.fit
        count = max(_LEAST_LOOKED_AT, min(_LOOKED_AT, _LOOKED_AT_VALUES // fit.values))
        chosen = index[np.unique(np.linspace(0, len(index) - 1, count).round().astype(np.int64))]
        self._digested(stack.outline(index))
        seen, dtype = _SampleSummary(), torch.uint8
        for piece in pieces(stack, chosen, fit):
            if piece.broken:
                # One error should name all broken samples that are found within the time limit.
                for _ in self._scan(stack, index, dict(piece.broken)):
                    pass
            assert piece.block is not None, "a block has images or broken images"
            self._digested(piece.block.stored)
            seen.add(piece.block, stack.scale)
            dtype = torch.float32 if piece.block.values.dtype == torch.float32 else dtype
        pixels, way = self._later(stack, index, dtype, seen.span)
        notes = (
            *stack.conclude(seen.remarks, len(chosen)),
            f"checked {len(chosen):,} of {counted(len(index), fit.noun)}; all are {way}",
        )
        return ReadSamples(pixels, index, notes, (), self._part_digest.hexdigest())

    def _later(self, stack: Stack, index: Index, dtype: torch.dtype, span: Span) -> tuple[Pixels, str]:
        """Return the samples of a large source, and a note on how they are read."""
        fit, store = self.request.fit, self.request.store
        kept = SamplesInMemory(len(index), fit, stack.scale, dtype.itemsize, self._room())
        if stack.ready:
            for _, block in self._scan(stack, index, {}) if kept.values is not None else ():
                kept.add(block.values)
            if kept.values is not None:
                return Held(kept.values, stack.scale, span), "held in memory"
            return Streamed(stack, index, fit.shape, span), "read from their files when they are needed"
        rows: CachedRows | None = None
        way = "read from their files when they are needed"
        if kept.values is not None:
            rows, way = RowsInMemory(kept.values, stack.scale), "read when they are first needed, then kept in memory"
        elif rows := self._scratch(len(index), stack.scale, dtype):
            way = f"read when they are first needed, then kept in a file in {store}, which is deleted when the run ends"
        return Cached(CachedStack(stack, index, rows), np.arange(len(index)), fit.shape, span), way

    def _scan(self, stack: Stack, index: Index, broken: dict[int, str]) -> Iterator[tuple[Index, RawSamples]]:
        """Yield all usable samples in blocks; record in ``broken`` why others cannot be used."""
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
            raise DataError(*self._unusable(broken, len(broken) + good, len(index)))

    def _unusable(self, broken: Mapping[int, str], seen: int, count: int) -> Iterator[str]:
        among = f"{'' if seen == count else f'the first {seen:,} of '}{counted(count, self.request.fit.noun)}"
        yield f"{len(broken):,} of {among} of {describe(self.request.source)} cannot be used:"
        yield from listing(list(dict.fromkeys(broken.values())), "files")
        if not self._skips:
            yield "to skip such files, add `skip=broken` to the source"

    @property
    def _skips(self) -> bool:
        return self.request.source.skip == "broken"

    def _scratch(self, images: int, scale: ValueScale, dtype: torch.dtype) -> Scratch | None:
        store = self.request.store
        return None if store is None else Scratch.open(store, images, self.request.fit, scale, dtype)

    def _room(self) -> int | None:
        memory = available_memory() if self.memory is None else self.memory
        # Each process of torchrun on this machine has its own copy of the samples.
        processes = max(1, launched("LOCAL_WORLD_SIZE", 1))
        return None if memory is None else int(SHARE * memory / processes)


class SamplesInMemory:
    """Samples in memory, up to ``room`` bytes: stored as bytes while all are bytes."""

    def __init__(self, count: int, fit: SampleFormat, scale: ValueScale, value_bytes: int, room: int | None) -> None:
        self.count, self.fit, self.scale, self.room = count, fit, scale, room
        self.refusal = ""
        self.values = self._blank(value_bytes)
        self._there = 0

    def _blank(self, value_bytes: int) -> Tensor | None:
        """Return space for values of this many bytes, if there is any."""
        needed = self.count * self.fit.values * value_bytes
        if self.room is None or needed <= self.room:
            try:
                return blank(self.count, self.fit, torch.uint8 if value_bytes == 1 else torch.float32)
            except RuntimeError:
                pass
        free = "" if self.room is None else f", {_size(int(self.room / SHARE))} free"
        self.refusal = f"the {self.fit.noun}s do not fit into memory ({_size(needed)} needed{free})"
        return None

    def add(self, values: Tensor) -> None:
        """Store the next samples; once one is not bytes, store all in 32 bits, or none."""
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
    """Read the samples with these numbers block by block, a few blocks ahead."""
    image_bytes = max(4 * fit.values, stack.read_bytes)
    images = max(1, min(_BLOCK_IMAGES, _BLOCK_BYTES // image_bytes))
    blocks = (index[start : start + images] for start in range(0, len(index), images))
    return ahead(partial(_attempt, stack), blocks, most=workers() + 1)


def _attempt(stack: Stack, index: Index) -> Piece:
    """Read a block; if some of its samples are broken, read the others."""
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
