"""File format of MNIST: four bytes with type and number of dimensions, the sizes, the values; all big-endian.

The format is described with the MNIST database by Y. LeCun, C. Cortes and C. Burges.
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from caedsl.data.errors import DataError, reason
from caedsl.data.files.regular_file import open_regular
from caedsl.data.stacks.array_stack import shape_text
from caedsl.data.stacks.row_file import RowFile, rows_of, without_values
from caedsl.data.stacks.stack import Array
from caedsl.machine.memory import available_memory

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


_MOST_DIMENSIONS = 8
"""Limit the dimensions to more than images have; the format allows 255, and numpy 64."""


def read_idx(path: Path) -> Array | RowFile:
    """Return the array of an idx file, gzipped or not; a plain file is read on demand.

    Raise a ``DataError`` if the file is damaged.
    """
    try:
        with open_regular(path) as file:
            zipped = file.read(2) == _GZIP
            file.seek(0)
            if not zipped:
                return _read_array(file, path, zipped=False)
            with gzip.open(file) as stream:
                return _read_array(stream, path, zipped=True)  # type: ignore[arg-type]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged ({reason(error)}): download it again") from error


def _read_array(stream: BinaryIO, path: Path, zipped: bool) -> Array | RowFile:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not start[3]:
        raise DataError(
            f"{path} is not an idx file: it starts with the bytes {start.hex(' ') or '(none)'}, not 00 00 08 03"
        )
    if start[3] > _MOST_DIMENSIONS:
        raise DataError(f"{path} is not an idx file of images: it has {start[3]} dimensions, but images have 3 or 4")
    sizes = stream.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DataError(f"{path} is truncated within its first {4 + 4 * start[3]} bytes: download it again")
    shape = struct.unpack(f">{start[3]}I", sizes)
    dtype = np.dtype(_TYPES[start[2]])
    length = math.prod(shape) * dtype.itemsize
    held = _fill(stream, length) if zipped else None
    there = os.fstat(stream.fileno()).st_size - stream.tell() if held is None else held.size
    if there != length:
        extent = "more than" if there > length else f"only {there:,} of"
        raise DataError(f"{path} has {extent} the {length:,} bytes of {shape_text(shape)} values: download it again")
    if held is None:
        return rows_of(stream, str(path), dtype, shape)
    return held.view(dtype).reshape(shape) if length else without_values(str(path), dtype, shape)


def _fill(stream: BinaryIO, length: int) -> Array:
    """Return the contents of a gzip stream, at most one byte more than ``length``; a false length costs no memory."""
    pieces, there, room = [], 0, available_memory()
    while there <= length and (piece := stream.read(min(1 << 24, length + 1 - there))):
        pieces.append(np.frombuffer(piece, np.uint8))
        there += len(piece)
        if room is not None and 2 * there > room:  # the pieces and their concatenation
            raise MemoryError
    return np.concatenate(pieces) if pieces else np.empty(0, np.uint8)
