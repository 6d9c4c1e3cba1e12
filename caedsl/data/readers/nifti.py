"""Volumes in NIfTI files, the format of medical scanners: one volume per file."""

import gzip
import hashlib
import io
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from caedsl.data.errors import DataError, UnavailableError, reason
from caedsl.data.files.file_listing import Files, files_in
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.files.picture import RESIZED, Picture
from caedsl.data.files.regular_file import read_regular
from caedsl.data.readers.part_folders import part_classes, part_roots
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.sample_format import SampleFormat, resized, scale_
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.machine.memory import available_memory

_ENDINGS = frozenset((".nii", ".gz"))
_AXES = 3
_GZIP = b"\x1f\x8b"
_FREE_BYTES, _MOST_RATIO = 1 << 29, 100
"""Unpack more bytes, those of 512 x 512 x 512 real numbers, only up to this many times the size of the file."""
_BLOCK = 1 << 20
"""Unpack and scale about this many values at a time."""


def read(request: Request) -> UnreadImages:
    """Find the volumes of a NIfTI file, or of all below a folder, sorted by name.

    Subfolders for training, validation and testing are read as such. Labels are subfolders.
    """
    if request.fit.channels != 1:
        wanted = f"`{request.fit.word} {request.fit.input_of(1)}`"
        raise DataError(
            f"NIfTI files have one channel, but the {request.fit.word} is {request.fit.input}: "
            + (f"use a run that was trained with {wanted}" if request.fit.trained else f"write {wanted}")
        )
    notes: list[str] = []
    roots = part_roots(request, _ENDINGS, notes)
    files = {part: _volumes(root, request, notes) for part, root in roots.items()}
    classes = part_classes({part: found.names for part, found in files.items()}, roots, request, notes)
    fit, white = request.fit, request.source.white
    stacks = {
        part: FolderStack(found, found.root, fit, classes.labels[part], white, read_volume)
        for part, found in files.items()
    }
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), classes.names, tuple(notes))


def _volumes(root: Path, request: Request, notes: list[str]) -> Files:
    if not root.is_dir():
        return Files(root.parent, [root.name])
    found = files_in(root, request.root, notes, _ENDINGS, "volumes")
    if not found:
        raise UnavailableError(f"{root} contains no volumes (.nii or .nii.gz)", f"put volumes into {root}")
    return found


def read_volume(path: Path, fit: SampleFormat, white: int | None = None) -> Picture:
    """Read a volume with its axes as stored; raise a ``DataError`` that names the file and the reason.

    Values are scaled as the file states: they must lie in the input's range, or in 0..``white``.
    """
    try:
        content = read_regular(path)
        values = _values(content, path)
    except (DataError, MemoryError):
        raise
    except gzip.BadGzipFile as error:  # an OSError
        raise DataError(f"{path} is damaged: {reason(error)}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    except Exception as error:  # for damaged files, the parsers of nibabel raise arbitrary exceptions
        raise DataError(f"{path} is not a NIfTI file, or is damaged: {reason(error)}") from error
    x = torch.from_numpy(np.ascontiguousarray(values))[None, None]
    _check(x, path, fit, white)
    if white:
        scale_(x, white, fit)
    remarks = () if values.shape == fit.space else (RESIZED,)
    return Picture(resized(x, fit)[0], hashlib.sha256(content).digest(), remarks, values.shape)


def _values(content: bytes, path: Path) -> NDArray[np.float32]:
    """Return the values of a volume, scaled as the file states."""
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.imageglobals import LoggingOutputSuppressor
    from nibabel.nifti1 import Nifti1Header

    with LoggingOutputSuppressor(), _unpacked(content) as stream:
        header = Nifti1Header.from_fileobj(stream)  # type: ignore[no-untyped-call]
        sides = tuple(int(side) for side in header.get_data_shape())
        shape = sides
        while len(shape) > _AXES and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) != _AXES or min(shape) < 1:
            raise DataError(f"the shape of {path} is {' x '.join(map(str, sides))}, but a volume has three axes")
        values = math.prod(shape)
        end = max(0, header.get_data_offset()) + values * header.get_data_dtype().itemsize
        _check_size(max(end, values * np.float32().itemsize), len(content), path)
        try:
            scaled = _scaled(ArrayProxy(stream, header), shape)  # type: ignore[no-untyped-call]
            stream.read(1)  # gzip verifies its checksum at the end
        except (EOFError, ValueError) as error:
            raise DataError(f"{path} is damaged: it ends before the {end:,} bytes that its values need") from error
        return scaled


def _check_size(needed: int, stored: int, path: Path) -> None:
    room = available_memory()
    if room is not None and needed > room:
        raise DataError(f"{path} needs {needed:,} bytes of memory, but {room:,} are available")
    if needed > _FREE_BYTES and needed > _MOST_RATIO * stored:
        raise DataError(
            f"{path} has {needed:,} bytes of values in {stored:,} bytes; above {_FREE_BYTES:,}, such a small file is "
            "not unpacked: save it uncompressed, as .nii"
        )


def _scaled(stored: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return stored values, unpacked and scaled in blocks, since nibabel scales in 64 bits and copies."""
    values = np.empty(shape, np.float32)
    block = max(1, _BLOCK // math.prod(shape[:-1]))
    for start in range(0, shape[-1], block):
        piece = values[..., start : start + block]
        piece[:] = np.asarray(stored[:, :, start : start + block], np.float32).reshape(piece.shape)
    return values


def _unpacked(content: bytes) -> BinaryIO:
    """Return a stream of a file without its compression."""
    stream = io.BytesIO(content)
    return gzip.GzipFile(fileobj=stream) if content.startswith(_GZIP) else stream  # type: ignore[return-value]


def _check(x: torch.Tensor, path: Path, fit: SampleFormat, white: int | None) -> None:
    low, high = (0.0, float(white)) if white else (fit.low, fit.high)
    least, most = map(float, x.aminmax())  # NaN if there is one
    if not (math.isfinite(least) and math.isfinite(most)):
        raise DataError(f"{path} contains NaN or infinity: repair, replace or remove it")
    if (white or fit.range.bounded) and not low <= least <= most <= high:
        value = least if least < low else most
        declared = f"`{fit.word} {fit.input} in {math.floor(least)}..{math.ceil(most)}`"
        remedy = (
            f"raise `white={white}`, or correct the file" if white else f"declare the actual range, such as {declared}"
        )
        raise DataError(
            f"{path} has the value {value:g}, outside {low:g}..{high:g}: "
            + ("scale the values" if fit.trained else remedy)
        )
