"""Images in NumPy's files: ``npy`` and ``npz``, never pickles."""

import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from caedsl.data.idx_format import read_idx
from caedsl.data.images import DataError
from caedsl.data.layout import array_stack
from caedsl.data.memory import available_memory
from caedsl.data.source_reader import Found, Request, reason
from caedsl.data.stack import Array, Labels, shape_text

_NPY, _NPZ = b"\x93NUMPY", b"PK"
_NOT_DAMAGE = (DataError, OSError, MemoryError)
"""What is no fault of a file's content; numpy meets a damaged one with whatever its parsers stumble over."""


def read_npy(request: Request) -> Found:
    """The images of one array, memory-mapped, with ``labels`` from an npy or idx file where the source names it."""
    path = request.path(request.source.path)
    labels = read_labels(request.path(request.source.labels)) if request.source.labels else None
    return Found(array_stack(_open(path), path, request, labels))


def read_npz(request: Request) -> Found:
    """The images of the array ``key`` (needed where there are several), with the array that ``labels`` names."""
    path, source = request.path(request.source.path), request.source
    _expect(path, _NPZ, "npz")
    try:
        # Opened here, since numpy leaves the files open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            keys = list(arrays)
            images = _member(arrays, source.key or _only_key(keys, path), keys, path)
            labels = _member(arrays, source.labels, keys, path) if source.labels else None
    except _NOT_DAMAGE:
        raise
    except Exception as error:
        raise DataError(_damaged(path, "npz", error)) from error
    stored = None if labels is None else as_labels(labels, f"{path}, {source.labels}")
    return Found(array_stack(images, path, request, stored))


def _open(path: Path) -> Array:
    _expect(path, _NPY, "npy")
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except _NOT_DAMAGE:
        raise
    except Exception as error:
        raise DataError(_damaged(path, "npy", error)) from error
    return array


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(6)


def _expect(path: Path, start: bytes, kind: str) -> None:
    there = _start(path)
    if there.startswith(start):
        return
    other = next((name for name, its in (("npy", _NPY), ("npz", _NPZ)) if there.startswith(its)), None)
    raise DataError(f"{path} is not an {kind} file{f', but an {other} file: write `{other}` for it' if other else ''}")


def _damaged(path: Path, kind: str, error: BaseException) -> str:
    if "Object arrays" in str(error) or "Python objects" in str(error):
        return f"{path} holds Python objects, which could run code when read: save a plain array of numbers instead"
    return f"{path} is damaged, or is not an {kind} file: {reason(error)}"


def _only_key(keys: list[str], path: Path) -> str:
    if len(keys) == 1:
        return keys[0]
    raise DataError(f"{path} holds {len(keys)} arrays: say which one with `key=`, of {', '.join(keys) or 'none'}")


def _member(arrays: "np.lib.npyio.NpzFile", key: str, keys: list[str], path: Path) -> Array:
    if key not in keys:
        raise DataError(f"{path} has no array `{key}`: it has {', '.join(keys) or 'none'}")
    archive = arrays.zip
    assert archive is not None  # until it is closed
    name = key if key in archive.namelist() else f"{key}.npy"
    member = archive.getinfo(name)
    mapped = _mapped(path, member) if member.compress_type == zipfile.ZIP_STORED else None
    if mapped is not None:
        with archive.open(name) as content:  # zipfile compares the checksum when it comes to the end
            while content.read(1 << 24):
                pass
        return mapped
    room = available_memory()
    if room is not None and member.file_size > room:
        raise MemoryError
    array: Array = arrays[key]
    return array


def _mapped(path: Path, member: zipfile.ZipInfo) -> Array | None:
    """An array that lies uncompressed in an archive, memory-mapped; None where it must be read by numpy."""
    with path.open("rb") as file:
        file.seek(member.header_offset + 26)  # the lengths of the name and of the extra field, which the array follows
        file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
        if np.lib.format.read_magic(file) != (1, 0):
            return None
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject or 0 in shape:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if columns_first else "C")


def read_labels(path: Path) -> Labels:
    """Labels, one an image, from an npy or idx file (what is not npy is read as idx)."""
    return as_labels(_open(path) if _start(path) == _NPY else read_idx(path), str(path))


def as_labels(array: Array, file: str) -> Labels:
    """An array of labels as int64; a ``DataError`` where it is anything but one whole number an image."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{file}: labels are one number an image, and this array is {shape_text(array.shape)}")
    if array.dtype.kind not in "biu":
        raise DataError(f"{file}: labels are whole numbers, and these are of type {array.dtype}: save them as integers")
    return array.astype(np.int64)
