"""CIFAR-10 in its binary form (one byte of label and 3,072 of pixels per image), which is read without pickle."""

import gzip
import hashlib
import tarfile
import zlib
from pathlib import Path

import numpy as np

from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError, reason
from caedsl.data.files.data_folders import StandardSet, complete, fetch
from caedsl.data.files.regular_file import open_regular, read_regular
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.array_stack import ArrayStack

_ARCHIVE = "cifar-10-binary.tar.gz"
_UNPACKED = "cifar-10-batches-bin"
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = "test_batch.bin"
_RECORD = 1 + 3 * 32 * 32
_MOST_IN_BATCH, _MOST_UNPACKED = 1 << 25, 1 << 28
"""Limit the size of a file to more than a batch (31 MB) and the unpacked archive (185 MB) of the published set."""

CIFAR10 = StandardSet(
    "cifar10",
    # A file with this SHA-256 has the MD5 that the authors publish, c32a1d4ab5d03f1284b67883e8d87530.
    {_ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
    ("cifar10", "cifar-10", "CIFAR10"),
)
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read(request: Request) -> UnreadImages:
    """Return the 50,000 and 10,000 colour images, from the unpacked files, the archive or the network."""
    places = [folder / place for folder in request.data_folders for place in (*CIFAR10.places, ".")]
    unpacked = next((place / _UNPACKED for place in places if _is_whole(place / _UNPACKED)), None)
    if unpacked is not None:
        batches = {name: read_regular(unpacked / name) for name in (*_TRAIN, _TEST)}
        return _found(batches, unpacked, request)
    pickled = next(
        (place / "cifar-10-batches-py" for place in places if (place / "cifar-10-batches-py").is_dir()), None
    )
    looked = (
        [] if pickled is None else [f"{pickled} contains pickles, which can run code when read: use {_ARCHIVE} instead"]
    )
    found = next(complete(CIFAR10, request.data_folders), None) or fetch(CIFAR10, request, looked)
    archive = found[_ARCHIVE]
    known = _published(archive)
    note = f"{archive} is not the published file: its checksum differs"
    return _found(_unpack(archive), archive, request, () if known else (note,))


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (*_TRAIN, _TEST))


def _unpack(archive: Path) -> dict[str, bytes]:
    batches: dict[str, bytes] = {}
    try:
        with open_regular(archive) as file, gzip.open(file) if archive.suffix == ".gz" else file as content:
            with tarfile.open(fileobj=content, mode="r:") as members:
                for member in members:
                    if member.offset_data + member.size > _MOST_UNPACKED:
                        raise ValueError(f"its member {member.name} is too large")
                    name = Path(member.name).name
                    if name in (*_TRAIN, _TEST) and member.isreg():
                        batches[name] = _content(members, member)
            # The checksum of gzip is at the end, which tarfile does not read.
            while content.read(1 << 20):
                if content.tell() > _MOST_UNPACKED:
                    raise ValueError("it is too large")
    except (EOFError, OSError, ValueError, OverflowError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive} is damaged ({reason(error)}): download it again") from error
    missing = [name for name in (*_TRAIN, _TEST) if name not in batches]
    if missing:
        raise DataError(f"{archive} has no {', '.join(missing)}: download it again")
    return batches


def _content(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = members.extractfile(member)
    if member.size > _MOST_IN_BATCH or stream is None:
        raise ValueError(f"its member {member.name} has {member.size:,} bytes")
    return stream.read(member.size)


def _published(archive: Path) -> bool:
    with open_regular(archive) as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == CIFAR10.files[_ARCHIVE]


def _found(batches: dict[str, bytes], path: Path, request: Request, notes: tuple[str, ...] = ()) -> UnreadImages:
    for name, batch in batches.items():
        if not batch or len(batch) % _RECORD:
            raise DataError(
                f"{path}: {name} has {len(batch):,} bytes, not a multiple of {_RECORD:,}: download the archive again"
            )
    train = _stack(b"".join(batches[name] for name in _TRAIN), path, request)
    return UnreadImages(train, _stack(batches[_TEST], path, request), class_names=CLASS_NAMES, notes=notes)


def _stack(batch: bytes, path: Path, request: Request) -> ArrayStack:
    records = np.frombuffer(bytearray(batch), np.uint8).reshape(-1, _RECORD)
    pixels = records[:, 1:].reshape(-1, 3, 32, 32)
    if request.fit.channels not in (1, 3):
        wanted = f"`{request.fit.word} 3x32x32`"
        raise DataError(
            f"cifar10 has 3 channels, but the {request.fit.word} is {request.fit.input}: "
            + (f"use a run that was trained with {wanted}" if request.fit.trained else f"write {wanted}")
        )
    labels = records[:, 0].astype(np.int64)
    if labels.size and labels.max() >= len(CLASS_NAMES):
        raise DataError(f"{path} is damaged: it has the label {labels.max()}, but the classes of cifar10 are 0..9")
    return ArrayStack(pixels, layout(pixels.shape, request.fit, str(path)), request.fit, str(path), labels)
