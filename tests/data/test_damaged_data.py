"""Damaged data files of every kind give a readable error or images, and quickly."""

import gzip
import io
import os
import random
import shutil
import signal
import struct
import tarfile
import time
import wave
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.model.data import DataSource
from tests.cli.test_fuzzed_specs import MOST_BYTES, peak_memory, reset_peak_memory

from .conftest import idx, mnist_files, spec, write_all

LONGEST = 300
"""Seconds after which a case hangs."""
MOST_SECONDS = 5.0
"""Processor time of one case: the first of a kind imports what it needs."""

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)


def npy(folder: Path) -> DataSource:
    np.save(folder / "x.npy", PIXELS)
    np.save(folder / "y.npy", np.arange(6) % 2)
    return DataSource("npy", path="x.npy", labels="y.npy")


def fortran(folder: Path) -> DataSource:
    np.save(folder / "x.npy", np.asfortranarray(PIXELS.astype(np.float32) / 255))
    np.save(folder / "y.npy", np.array(["cat", "dog"] * 3))
    return DataSource("npy", path="x.npy", labels="y.npy")


def npz(folder: Path) -> DataSource:
    np.savez(folder / "x.npz", x=PIXELS, y=np.arange(6))
    return DataSource("npz", path="x.npz", key="x", labels="y")


def packed_npz(folder: Path) -> DataSource:
    np.savez_compressed(folder / "x.npz", x=PIXELS)
    return DataSource("npz", path="x.npz")


def plain_idx(folder: Path) -> DataSource:
    (folder / "x.idx").write_bytes(idx(PIXELS))
    (folder / "y.idx").write_bytes(idx(np.arange(6, dtype=np.uint8)))
    return DataSource("idx", path="x.idx", labels="y.idx")


def zipped_idx(folder: Path) -> DataSource:
    (folder / "x.gz").write_bytes(gzip.compress(idx(PIXELS)))
    return DataSource("idx", path="x.gz")


def mnist(folder: Path) -> DataSource:
    write_all(folder, mnist_files())
    return DataSource("mnist")


def cifar10(folder: Path) -> DataSource:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"):
            member = tarfile.TarInfo(name)
            member.size = 3073
            archive.addfile(member, io.BytesIO(bytes(3073)))
    (folder / "cifar-10-binary.tar.gz").write_bytes(stream.getvalue())
    return DataSource("cifar10", gray=True)


def pictures(folder: Path) -> DataSource:
    for part in ("train", "val", "test"):
        (folder / part / "cat").mkdir(parents=True)
    image = Image.fromarray(PIXELS[0])
    for number, ending in enumerate(("png", "jpg", "gif", "bmp", "tif", "webp", "pgm")):
        image.save(folder / ("train", "val", "test")[number % 3] / "cat" / f"{number}.{ending}")
    Image.fromarray(PIXELS[0].astype(np.uint16) * 257).save(folder / "train" / "cat" / "wide.png")
    return DataSource("folder", path=".", gray=True)


def manifest(folder: Path) -> DataSource:
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    lines = [f"{number}.png,{'ab'[number % 2]},{('train', 'val', 'test')[number % 3]}" for number in range(6)]
    (folder / "x.csv").write_text("\n".join(["path,label,split", *lines]))
    return DataSource("manifest", path="x.csv")


def table(folder: Path) -> DataSource:
    lines = [f"{number},{number % 7 / 8},{number % 2}" for number in range(40)]
    (folder / "x.csv").write_text("\n".join(["time,a,label", *lines]))
    return DataSource("csv", path="x.csv", columns="a", labels="label", window=8, step=4)


def sounds(folder: Path) -> DataSource:
    for width in (1, 2, 3, 4):
        with wave.open(str(folder / f"{width}.wav"), "wb") as sound:
            sound.setparams((1, width, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(range(100)) * width)
    return DataSource("wav", path=".")


def volumes(folder: Path) -> DataSource:
    nibabel = pytest.importorskip("nibabel")
    for number, ending in enumerate(("nii", "nii.gz", "nii")):
        values = np.full((8, 8, 8), number / 4, np.float32)
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(folder / f"{number}.{ending}")
    return DataSource("nifti", path=".")


def parquet(folder: Path) -> DataSource:
    content = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(content, "png")
    columns = {"image": [content.getvalue()] * 9, "label": list(range(9)), "words": ["a", "b", "c"] * 3}
    pq.write_table(pa.table(columns), folder / "x.parquet", row_group_size=4)
    return DataSource("parquet", path="x.parquet", labels="words")


SHAPES = {"cifar10": (1, 32, 32), "csv": (1, 8), "wav": (1, 16), "nifti": (1, 8, 8, 8)}
"""The inputs of kinds that hold no images of 8x8."""

KINDS: tuple[Callable[[Path], DataSource], ...] = (
    npy,
    fortran,
    npz,
    packed_npz,
    plain_idx,
    zipped_idx,
    mnist,
    cifar10,
    pictures,
    manifest,
    table,
    sounds,
    volumes,
    parquet,
)


def truncate(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content) + 1)])


def zeros(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content))
    length = draw.choice((1, 4, 64, len(content)))
    content[start : start + length] = bytes(len(content[start : start + length]))
    path.write_bytes(content)


def garbage(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(draw.choice((1, 3, 20, len(content)))):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path.write_bytes(content)


def lengthened(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.choice((1, 100, 10_000))))


def another_kind(path: Path, draw: random.Random) -> None:
    text = draw.choice(
        (
            b"",
            b"\n",
            b"hello",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
            b"%PDF-1.4\n",
            b"PK\x05\x06" + bytes(18),
            b"\x93NUMPY\x01\x00",
            b"\x1f\x8b\x08",
            b"\x80\x04\x95",
            b"[" * 10_000,
        )
    )
    path.write_bytes(text)


def huge_header(path: Path, draw: random.Random) -> None:
    """Write a file whose header declares more data than any memory holds."""
    side = draw.choice((2**31 - 1, 2**32 - 1, 100_000, 65_535))
    shape = f"({side}, {side}, 8)"
    header = f"{{'descr': '{draw.choice(('|u1', '<f8', '<U999999999'))}', 'fortran_order': False, 'shape': {shape}, }}"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr("x.npy", array)
    an_idx = b"\0\0\x08\x03" + struct.pack(">3I", side, side, 8) + bytes(64)
    ihdr = struct.pack(">IIBBBBB", min(side, 2**31 - 1), min(side, 2**31 - 1), 8, 0, 0, 0, 0)
    picture = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + ihdr + bytes(4)
    bitmap = (
        b"BM"
        + struct.pack("<IHHI", 100, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, side % 2**31, 9999, 1, 8, *[0] * 6)
    )
    gray = f"P5 {side} {side} 255\n".encode()
    path.write_bytes(draw.choice((array, stream.getvalue(), an_idx, gzip.compress(an_idx), picture, bitmap, gray)))


def linked(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to(draw.choice((path.name, "nowhere", "/dev/zero", "/dev/null", "/proc/self/mem", "/")))


def pipe(path: Path, draw: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def gone(path: Path, draw: random.Random) -> None:
    path.unlink()


def forbidden(path: Path, draw: random.Random) -> None:
    path.chmod(0)


DAMAGES = (
    truncate,
    zeros,
    garbage,
    lengthened,
    another_kind,
    huge_header,
    linked,
    pipe,
    folder,
    gone,
    forbidden,
)


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def damaged(place: Path, kind: Callable[[Path], DataSource], damage, draw: random.Random) -> DataSource:
    """Write data of a kind into ``place``, and damage a file or two of it."""
    place.mkdir()
    source = kind(place)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    for path in draw.sample(files, min(len(files), draw.choice((1, 1, 2)))):
        damage(path, draw)
    return source


def outcome(source: DataSource, place: Path, memory: int | None) -> Images | DataError:
    model = spec(source, folder=place, shape=SHAPES.get(source.name, (1, 8, 8)))
    try:
        with no_longer_than(LONGEST):
            images = load(model, place, memory=memory)
            images.train_pixels.everything()
            return images
    except DataError as error:
        return error


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files there")
@pytest.mark.filterwarnings("ignore")
def test_damaged_data_are_an_error_or_images(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Every kind is damaged in every way once, then for as long as ``--fuzz-seconds`` says."""
    end = time.monotonic() + pytestconfig.getoption("--fuzz-seconds")
    first = pytestconfig.getoption("--fuzz-seed")
    kinds, cases, largest = set(), 0, 0
    for seed in count(first):
        if seed > first and time.monotonic() > end:
            break
        for kind, damage in product(KINDS, DAMAGES):
            case = f"{kind.__name__} {damage.__name__} {seed}"
            draw = random.Random(case)
            source = damaged(tmp_path / "d", kind, damage, draw)
            before, start = reset_peak_memory(), time.process_time()
            found = outcome(source, tmp_path / "d", memory=draw.choice((None, 100)))
            seconds, memory = time.process_time() - start, peak_memory() - before
            assert seconds < MOST_SECONDS and memory < MOST_BYTES, f"{case}: {seconds:.1f} s, {memory:,} bytes"
            kinds.add((type(found), damage))
            cases, largest = cases + 1, max(largest, memory)
            if isinstance(found, DataError):
                assert str(found).strip(), case
                assert "Traceback" not in str(found), case
                str(found).encode()
            else:
                assert np.isfinite(found.train_pixels.everything().numpy()).all(), case
            shutil.rmtree(tmp_path / "d")
    print(f"{cases} damaged sources, at most {largest >> 20} MB")
    assert {damage for kind, damage in kinds if issubclass(kind, DataError)} >= set(DAMAGES) - {forbidden, lengthened}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_whole_data_are_images(kind: Callable[[Path], DataSource], tmp_path: Path) -> None:
    """The files are intact before the cases above damage them."""
    source = damaged(tmp_path / "d", kind, lambda path, draw: None, random.Random(0))
    assert isinstance(outcome(source, tmp_path / "d", None), Images)
