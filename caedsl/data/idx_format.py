"""The file format of MNIST: four bytes that tell type and dimensions, the sizes, the values; all big-endian.

The format is the one that Y. LeCun, C. Cortes and C. Burges describe with the MNIST database.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from caedsl.data.images import DataError
from caedsl.data.memory import available_memory
from caedsl.data.source_reader import reason
from caedsl.data.stack import Array, shape_text

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


def read_idx(path: Path) -> Array:
    """The array of an idx file, gzipped or not; a plain file is memory-mapped. Damage is a ``DataError``."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP
        with gzip.open(path) if zipped else path.open("rb") as stream:
            return _read_array(stream, path, zipped)  # type: ignore[arg-type]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged ({reason(error)}): get the file again") from error


def _read_array(stream: BinaryIO, path: Path, zipped: bool) -> Array:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not start[3]:
        raise DataError(
            f"{path} is not an idx file: it starts with the bytes {start.hex(' ') or '(none)'}, not 00 00 08 03"
        )
    sizes = stream.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DataError(f"{path} is cut off within its first {4 + 4 * start[3]} bytes: get the file again")
    shape = struct.unpack(f">{start[3]}I", sizes)
    dtype = np.dtype(_TYPES[start[2]])
    length = math.prod(shape) * dtype.itemsize
    held = _fill(stream, length) if zipped else path.stat().st_size - 4 - len(sizes)
    there = held if isinstance(held, int) else held.size
    if there != length:
        more = "more" if there > length else f"only {there:,}"
        raise DataError(
            f"{path} holds {more} of the {length:,} bytes that {shape_text(shape)} values take: get the file again"
        )
    if isinstance(held, int):
        return np.memmap(path, dtype, "r", 4 + len(sizes), shape) if length else np.empty(shape, dtype)
    return held.view(dtype).reshape(shape)


def _fill(stream: BinaryIO, length: int) -> Array:
    """What a gzip stream holds, at most one byte more than ``length``; a false length costs no memory."""
    pieces, there, room = [], 0, available_memory()
    while there <= length and (piece := stream.read(min(1 << 24, length + 1 - there))):
        pieces.append(np.frombuffer(piece, np.uint8))
        there += len(piece)
        if room is not None and 2 * there > room:  # the pieces, and all of them together
            raise MemoryError
    return np.concatenate(pieces) if pieces else np.empty(0, np.uint8)
