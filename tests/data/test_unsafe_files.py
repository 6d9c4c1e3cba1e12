"""Special files, archives with links and false headers are errors that name the file."""

import gzip
import io
import os
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from caedsl.data.errors import DataError

from .conftest import idx

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)
posix = pytest.mark.skipif(os.name == "nt", reason="there are no such files there")


@posix
@pytest.mark.parametrize("kind", ["npy", "npz", "idx"])
def test_a_named_pipe_is_refused_and_not_waited_for(kind: str, tmp_path: Path, read) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(DataError, match=r"x cannot be read: it is a named pipe: replace it"):
        read(kind, path="x")


@posix
@pytest.mark.parametrize("kind", ["npy", "npz", "idx"])
def test_a_link_to_a_device_is_refused(kind: str, tmp_path: Path, read) -> None:
    (tmp_path / "x").symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"x cannot be read: it is a device"):
        read(kind, path="x")


@posix
def test_labels_are_read_from_regular_files_only(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    os.mkfifo(tmp_path / "y")
    with pytest.raises(DataError, match=r"y cannot be read: it is a named pipe"):
        read("npy", path="x.npy", labels="y")


@posix
def test_a_fortran_array_that_is_cut_short_while_it_is_read_is_an_error(tmp_path: Path, read) -> None:
    """With a memory map, the system would kill the process."""
    path = tmp_path / "x.npy"
    np.save(path, np.asfortranarray(np.zeros((2000, 32, 32), np.uint8)))
    cut = []

    def progress(*_: object) -> None:
        if not cut:
            os.truncate(path, 4096)
            cut.append(True)

    with pytest.raises(DataError, match=r"x.npy was (changed|truncated) while it was in use"):
        read("npy", path="x.npy", shape=(1, 32, 32), progress=progress)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_fortran_arrays_are_read_as_others(kind: str, tmp_path: Path, read) -> None:
    array = np.random.default_rng(1).integers(0, 256, (700, 8, 9, 3), dtype=np.uint8)
    stored = np.asfortranarray(array)
    (np.save if kind == "npy" else np.savez)(tmp_path / f"x.{kind}", stored)
    images = read(kind, path=f"x.{kind}", shape=(3, 8, 9))
    np.testing.assert_array_equal((images.train * 255).round().numpy(), array.transpose(0, 3, 1, 2))


def header(shape: str, dtype: str = "|u1", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000, 8, 8)") + bytes(640),
        header("(-1, 8, 8)") + bytes(640),
        header("(10, 8, 8)", "<U0"),
        header("(10, 8, 8)", version=b"\x03\x00") + bytes(640),
        header("(10, 8, 8)", version=b"\x09\x00") + bytes(640),
        header(str((1,) * 70)) + bytes(1),
        header("(" + "9" * 4000 + ", 8, 8)") + bytes(640),
    ],
    ids=["huge", "negative", "empty type", "version 3", "version 9", "70 dimensions", "4,000 digits"],
)
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_npy_headers_that_lie_are_explained(kind: str, content: bytes, tmp_path: Path, read) -> None:
    import zipfile

    if kind == "npz":
        for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            with zipfile.ZipFile(tmp_path / "x.npz", "w", compression) as archive:
                archive.writestr("x.npy", content)
            with pytest.raises(DataError, match=r"x\.npz"):
                read("npz", path="x.npz")
    else:
        (tmp_path / "x.npy").write_bytes(content)
        with pytest.raises(DataError, match=r"x\.npy"):
            read("npy", path="x.npy")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08\xff" + struct.pack(">255I", *[1] * 255) + b"\0", "it has 255 dimensions"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 0, 8, 8), "contains no images"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 10, 0, 8), "has images without pixels"),
        (b"\0\0\x0e\x04" + struct.pack(">4I", 2**32 - 1, 0, 2**32 - 1, 2**32 - 1), "is damaged: its shape is 429496"),
        (b"\0\0\x08\x03" + struct.pack(">3I", *[2**32 - 1] * 3) + bytes(99), "has only 99 of the "),
    ],
)
def test_idx_headers_that_lie_are_explained(content: bytes, message: str, zipped: bool, tmp_path: Path, read) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=message):
        read("idx", path="x")


BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def regular(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(f"cifar-10-batches-bin/{name}"), content


def whole_archive(label: int = 1) -> bytes:
    batch = bytes([label]) + bytes([200]) * 3072
    return archive_of(*(regular(name, batch) for name in (*BATCHES, "test_batch.bin")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_in_the_archive_of_cifar10_are_not_followed(kind: bytes, tmp_path: Path, read) -> None:
    link = tarfile.TarInfo("data_batch_1.bin")
    link.type, link.linkname = kind, "data_batch_1.bin"
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(archive_of((link, b""))))
    with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz has no data_batch_1.bin, "):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)


def test_damage_in_the_archive_of_cifar10_is_found_by_its_checksum(tmp_path: Path, read) -> None:
    content = bytearray(gzip.compress(whole_archive(), compresslevel=0))
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(content)
    assert read("cifar10", shape=(3, 32, 32), data_dir=tmp_path).notes == (
        f"{path} is not the published file: its checksum differs",
    )
    content[2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz is damaged \(CRC check failed"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)
    path.write_bytes(gzip.compress(whole_archive(label=200)))
    with pytest.raises(DataError, match=r"has the label 200, but the classes of cifar10 are 0..9"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)


def test_words_are_labels(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    for words in (np.array(["dog", "cat"] * 5), np.array([[b"dog"], [b"cat"]] * 5)):
        np.save(tmp_path / "y.npy", words)
        images = read("npy", path="x.npy", labels="y.npy")
        assert images.class_names == ("cat", "dog")
        assert images.labels.tolist() == [1, 0] * 5
        assert len(read("npy", path="x.npy", labels="y.npy", only="cat")) == 5
    np.savez(tmp_path / "x.npz", x=IMAGES, y=np.array(["dog", "cat"] * 5))
    assert read("npz", path="x.npz", key="x", labels="y").class_names == ("cat", "dog")
    (tmp_path / "x.idx").write_bytes(idx(IMAGES))
    assert read("idx", path="x.idx", labels="y.npy", only="dog").labels.tolist() == [1] * 5
    np.save(tmp_path / "y.npy", np.array([b"\xff"] * 10))
    with pytest.raises(DataError, match="is not valid text"):
        read("npy", path="x.npy", labels="y.npy")
