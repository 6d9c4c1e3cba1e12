"""Samples in NumPy's files: ``npy`` and ``npz``, never pickles."""

import math
import os
import struct
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from caedsl.data.array_layout import array_stack, parts_of
from caedsl.data.errors import DataError, reason
from caedsl.data.files.folder_layout import TEST, VALIDATION
from caedsl.data.files.idx_format import read_idx
from caedsl.data.files.regular_file import open_regular
from caedsl.data.labels import StoredLabels, as_labels
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.sample_weights import as_weights
from caedsl.data.stacks.row_file import RowFile, rows_of, whole
from caedsl.data.stacks.stack import Array, Weights
from caedsl.diagnostics.text import counted
from caedsl.machine.memory import available_memory

_NPY, _NPZ = b"\x93NUMPY", b"PK"
_NOT_DAMAGE = (DataError, OSError, MemoryError)
"""Errors that do not mean a damaged file; for damaged ones the parsers of numpy raise arbitrary exceptions."""


class _Header(NamedTuple):
    """Header of an npy file."""

    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """Number of bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(request: Request) -> UnreadImages:
    """Find the samples of one array, with ``labels`` from an npy or idx file if the source names one."""
    path = request.path(request.source.path)
    labels = read_labels(request.path(request.source.labels)) if request.source.labels else StoredLabels()
    parts = parts_of(request, lambda written: (_open(request.path(written)), request.path(written)))
    pixels = _open(path)
    train = array_stack(pixels, path, request, labels.numbers, read_weights(request, len(pixels)))
    return UnreadImages(train, parts.get(TEST), parts.get(VALIDATION), labels.names)


def read_npz(request: Request) -> UnreadImages:
    """Find the samples of the array ``key`` (required if there are several), with the array in ``labels``."""
    path, source = request.path(request.source.path), request.source
    with _arrays_in(path) as (arrays, file):
        images = _member(arrays, file, source.key or _only_key(list(arrays), path), path)
        labels = _member(arrays, file, source.labels, path) if source.labels else None
        weights = _member(arrays, file, source.weights, path) if source.weights else None
        parts = parts_of(request, lambda key: (_member(arrays, file, key, path), path))
    stored = StoredLabels() if labels is None else as_labels(labels, f"{path}, {source.labels}")
    kept = None if weights is None else as_weights(weights, len(images), f"{path}, {source.weights}")
    train = array_stack(images, path, request, stored.numbers, kept)
    return UnreadImages(train, parts.get(TEST), parts.get(VALIDATION), stored.names)


def read_weights(request: Request, samples: int) -> Weights | None:
    """Return the weights of this many samples from an npy or idx file, or None if the source names none."""
    if request.source.weights is None:
        return None
    path = request.path(request.source.weights)
    return as_weights(_opened(path), samples, str(path))


@contextmanager
def _arrays_in(path: Path) -> "Iterator[tuple[np.lib.npyio.NpzFile, BinaryIO]]":
    """Open an npz file; raise a ``DataError`` for anything that numpy cannot read."""
    _expect(path, _NPZ, "npz")
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays, file
    except _NOT_DAMAGE:
        raise
    except Exception as error:
        raise DataError(_damaged(path, "npz", error)) from error


def _open(path: Path) -> Array | RowFile:
    _expect(path, _NPY, "npy")
    try:
        with open_regular(path) as file:
            header = _read_header(file)
            return rows_of(file, str(path), header.dtype, header.shape, header.columns_first)
    except _NOT_DAMAGE:
        raise
    except Exception as error:
        raise DataError(_damaged(path, "npy", error)) from error


def _read_header(file: BinaryIO) -> _Header:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its format version is {version[0]}.{version[1]}, but plain arrays need only 1.0 or 2.0")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    header = _Header(*read(file))
    if header.dtype.hasobject:
        raise ValueError("Object arrays")
    if not header.shape:
        raise ValueError("it contains one number, not several samples")
    if not header.dtype.itemsize or any(side < 0 for side in header.shape):
        raise ValueError(f"its values have the type {header.dtype}, and its shape is {header.shape}")
    return header


def _start(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(6)


def _expect(path: Path, start: bytes, kind: str) -> None:
    there = _start(path)
    if there.startswith(start):
        return
    other = next((name for name, its in (("npy", _NPY), ("npz", _NPZ)) if there.startswith(its)), None)
    raise DataError(
        f"{path} is not an {kind} "
        f"file{f', but an {other} file: write `{other}`' if other else ': save the array again'}"
    )


def _damaged(path: Path, kind: str, error: BaseException) -> str:
    if "Object arrays" in str(error) or "Python objects" in str(error):
        return f"{path} contains Python objects, which could run code when read: save a plain array of numbers instead"
    return f"{path} is not an {kind} file, or is damaged ({reason(error)}): save the array again"


def _only_key(keys: list[str], path: Path) -> str:
    if len(keys) == 1:
        return keys[0]
    if not keys:
        raise DataError(f"{path} contains no arrays: save one in it")
    named = next((key for key in keys if key.isprintable() and key.strip() and '"' not in key), "…")
    written = named if named.isidentifier() and named.isascii() else f'"{named}"'
    raise DataError(
        f"{path} contains {counted(len(keys), 'array')} ({', '.join(keys)}): choose one with a data line such as "
        f'`npz "{path}" key={written}`'
    )


def _member(arrays: "np.lib.npyio.NpzFile", file: BinaryIO, key: str, path: Path) -> Array | RowFile:
    keys = list(arrays)
    if key not in keys:
        raise DataError(f"{path} has no array `{key}`: its arrays are {', '.join(keys) or 'none'}")
    archive = arrays.zip
    assert archive is not None  # until it is closed
    name = key if key in archive.namelist() else f"{key}.npy"
    member = archive.getinfo(name)
    with archive.open(name) as content:
        header = _read_header(content)  # type: ignore[arg-type]
        if content.tell() + header.bytes != member.file_size:
            raise DataError(
                f"{path} is damaged: `{key}` has {member.file_size - content.tell():,} bytes of values, but its shape "
                f"needs {header.bytes:,}; save the array again"
            )
        if member.compress_type == zipfile.ZIP_STORED:
            start = content.tell()
            while content.read(1 << 24):  # zipfile verifies the checksum at the end
                pass
            # The header ends with the lengths of the name and the extra field; these two precede the array.
            file.seek(member.header_offset + 26)
            file.seek(sum(struct.unpack("<HH", file.read(4))) + start, os.SEEK_CUR)
            return rows_of(file, str(path), header.dtype, header.shape, header.columns_first)
    room = available_memory()
    if room is not None and member.file_size > room:
        raise MemoryError
    array: Array = arrays[key]
    return array


def read_array(path: Path) -> NDArray[Any]:
    """Return the array of an npy file in memory; raise a ``DataError`` if it is damaged or does not fit."""
    return _in_memory(_open(path), path)


def read_arrays(path: Path, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file with the names ``wanted``; raise errors like ``read_array``."""
    with _arrays_in(path) as (arrays, file):
        return {key: _in_memory(_member(arrays, file, key, path), path) for key in arrays if key in wanted}


def _in_memory(array: Array | RowFile, path: Path) -> NDArray[Any]:
    if isinstance(array, RowFile):
        needed, room = array.size * array.dtype.itemsize, available_memory()
        if room is not None and needed > room:
            raise DataError(f"{path} needs {needed:,} bytes of memory, but {room:,} are available: split it")
    return whole(array, str(path))


def read_labels(path: Path) -> StoredLabels:
    """Read one label per sample from an npy or idx file (a file that is not npy is read as idx)."""
    return as_labels(_opened(path), str(path))


def _opened(path: Path) -> Array | RowFile:
    return _open(path) if _start(path) == _NPY else read_idx(path)
