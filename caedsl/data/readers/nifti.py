"""Volumes in NIfTI files, the format of medical scanners: one volume per file."""

import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from caedsl.data.errors import DataError, UnavailableError
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.files.listing import Files, files_in
from caedsl.data.files.picture import RESIZED, Picture
from caedsl.data.files.regular_file import read_regular
from caedsl.data.fit import SampleFormat, resized, scale_
from caedsl.data.readers.part_folders import part_classes, part_roots
from caedsl.data.readers.source_reader import Request, UnreadImages, reason
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.machine.memory import available_memory

_ENDINGS = frozenset((".nii", ".gz"))
_AXES = 3
_GZIP = b"\x1f\x8b"


def read(request: Request) -> UnreadImages:
    """Find the volumes of a NIfTI file, or of all below a folder, sorted by name.

    Subfolders for training, validation and testing are read as such. Labels are subfolders.
    """
    if request.fit.channels != 1:
        raise DataError(
            f"NIfTI files have one channel, but the {request.fit.word} is {request.fit.input}: write "
            f"`{request.fit.word} {request.fit.input_of(1)}`"
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
    from nibabel.imageglobals import LoggingOutputSuppressor
    from nibabel.nifti1 import Nifti1Image

    unpacked = _unpacked(content, path)
    with LoggingOutputSuppressor():
        image = Nifti1Image.from_bytes(unpacked)
    shape = tuple(int(side) for side in image.shape)
    while len(shape) > _AXES and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != _AXES or not math.prod(shape):
        raise DataError(f"the shape of {path} is {' x '.join(map(str, image.shape))}, but a volume has three axes")
    stored = image.get_data_dtype()  # type: ignore[no-untyped-call]
    needed = math.prod(shape) * stored.itemsize
    if needed > len(unpacked):
        raise DataError(f"{path} is damaged: it has {len(unpacked):,} bytes, but its values need {needed:,}")
    return np.asarray(image.dataobj, np.float32).reshape(shape)


def _unpacked(content: bytes, path: Path) -> bytes:
    """Return the uncompressed bytes of a file, which must fit in memory."""
    if not content.startswith(_GZIP):
        return content
    room = available_memory()
    most = 1 << 40 if room is None else room // 4
    unpacker = zlib.decompressobj(wbits=31)
    whole = unpacker.decompress(content, most)
    if unpacker.unconsumed_tail:
        raise DataError(f"{path} unpacks to more than the {most:,} bytes of memory that are available")
    if not unpacker.eof:
        raise DataError(f"{path} is damaged: it is truncated")
    return whole


def _check(x: torch.Tensor, path: Path, fit: SampleFormat, white: int | None) -> None:
    if not bool(torch.isfinite(x).all()):
        raise DataError(f"{path} contains NaN or infinity: repair, replace or remove it")
    low, high = (0.0, float(white)) if white else (fit.low, fit.high)
    least, most = map(float, x.aminmax())
    if (white or fit.range.bounded) and not low <= least <= most <= high:
        value = least if least < low else most
        raise DataError(
            f"{path} has the value {value:g}, outside {low:g}..{high:g}: declare the actual range, such as `{fit.word} "
            f"{fit.input} in {math.floor(least)}..{math.ceil(most)}`"
        )
