"""Image files with more than 8 bits, too many pixels, or contents that would run a program."""

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caedsl.data.errors import DataError
from caedsl.model.data import InputRange

DRAW = np.random.default_rng(0)
WIDE = DRAW.integers(0, 65536, (8, 9, 3), dtype=np.uint16)


def png(values: np.ndarray, colour_type: int, chunks: bytes = b"", interlaced: bool = False) -> bytes:
    """Return a 16-bit PNG; Pillow cannot write colour ones."""
    height, width = values.shape[:2]
    stored = values.astype(">u2")

    def rows(part: np.ndarray) -> bytes:
        return b"".join(b"\0" + row.tobytes() for row in part) if part.size else b""

    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    content = b"".join(rows(stored[a::b, c::d]) for a, b, c, d in passes) if interlaced else rows(stored)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, int(interlaced))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunks,
            chunk(b"IDAT", zlib.compress(content)),
            chunk(b"IEND", b""),
        )
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def tiff(values: np.ndarray, order: str, planes: bool = False) -> bytes:
    """Return an uncompressed 16-bit colour TIFF."""
    height, width, channels = values.shape
    content = (values.transpose(2, 0, 1) if planes else values).astype(f"{order}u2").tobytes()
    entries = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [16] * channels),
        (259, 3, [1]),
        (262, 3, [2]),
        (273, 4, [8 + i * len(content) // channels for i in range(channels)] if planes else [8]),
        (277, 3, [channels]),
        (278, 4, [height]),
        (279, 4, [len(content) // channels] * channels if planes else [len(content)]),
        (284, 3, [2 if planes else 1]),
        *([(338, 3, [2])] if channels == 4 else []),
    ]
    directory, extra = b"", b""
    after = 8 + len(content) + 2 + 12 * len(entries) + 4
    for tag, kind, numbers in entries:
        packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, extra = struct.pack(f"{order}I", after + len(extra)), extra + packed
        directory += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(content))
    return start + content + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + extra


def put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


ALPHA = np.concatenate([WIDE, np.full_like(WIDE[..., :1], 65535)], axis=2)
COLOURS = {
    "png": png(WIDE, 2),
    "png interlaced": png(WIDE, 2, interlaced=True),
    "png opaque": png(ALPHA, 6),
    "tiff II": tiff(WIDE, "<"),
    "tiff MM": tiff(WIDE, ">"),
    "tiff opaque": tiff(ALPHA, "<"),
    "ppm": b"P6 9 8 65535\n" + WIDE.astype(">u2").tobytes(),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_colours_of_16_bits_keep_them_all(kind: str, tmp_path: Path, read) -> None:
    put(tmp_path / "photos", f"x.{kind.split()[0]}", COLOURS[kind])
    images = read("folder", path="photos", shape=(3, 8, 9), range=InputRange(0, 65535))
    np.testing.assert_array_equal(images.train[0].numpy(), WIDE.transpose(2, 0, 1))
    assert images.notes[0] == "1 of 1 image with 16 bits, scaled from 0..65535"
    grey = read("folder", path="photos", shape=(1, 8, 9), range=InputRange(0, 65535), gray=True)
    np.testing.assert_allclose(grey.train[0, 0].numpy(), WIDE @ [0.299, 0.587, 0.114], rtol=1e-5)
    small = read("folder", path="photos", shape=(3, 4, 3))
    assert small.train.shape == (1, 3, 4, 3)


def test_compressed_tiffs_of_16_bits_keep_them_all(tmp_path: Path, read) -> None:
    """Pillow cannot write such a file, so the tag of an uncompressed one is changed and its content packed."""
    content = bytearray(tiff(WIDE, "<"))
    size = WIDE.nbytes
    packed = zlib.compress(content[8 : 8 + size])
    assert len(packed) <= size + 100
    start = content.index(struct.pack("<HHI", 259, 3, 1)) + 8
    content[start : start + 2] = struct.pack("<H", 8)
    start = content.index(struct.pack("<HHI", 273, 4, 1)) + 8
    content[start : start + 4] = struct.pack("<I", len(content))
    start = content.index(struct.pack("<HHI", 279, 4, 1)) + 8
    content[start : start + 4] = struct.pack("<I", len(packed))
    put(tmp_path / "photos", "x.tif", bytes(content) + packed)
    images = read("folder", path="photos", shape=(3, 8, 9), range=InputRange(0, 65535))
    np.testing.assert_array_equal(images.train[0].numpy(), WIDE.transpose(2, 0, 1))


def test_few_levels_of_16_bit_colours_stay_apart(tmp_path: Path, read) -> None:
    values = np.arange(400, dtype=np.uint16).repeat(3).reshape(20, 20, 3)
    put(tmp_path / "photos", "x.png", png(values, 2))
    assert len(read("folder", path="photos", shape=(3, 20, 20)).train.unique()) == 400


def test_transparency_of_16_bits_is_placed_on_white(tmp_path: Path, read) -> None:
    grey = WIDE[..., :2].copy()
    grey[..., 1] = 0
    grey[0, :, 1] = 65535
    half = np.concatenate([WIDE, np.full_like(WIDE[..., :1], 32768)], axis=2)
    put(tmp_path / "grey", "x.png", png(grey, 4))
    put(tmp_path / "half", "x.png", png(half, 6))
    one = WIDE.copy()
    one[2, 3] = (1, 2, 3)
    put(tmp_path / "one", "x.png", png(one, 2, chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))))
    laid = {
        name: read("folder", path=name, shape=(3, 8, 9), range=InputRange(0, 65535)).train for name in ("half", "one")
    }
    images = read("folder", path="grey", shape=(1, 8, 9), range=InputRange(0, 65535))
    np.testing.assert_array_equal(images.train[0, 0, 0].numpy(), grey[0, :, 0])
    assert (images.train[0, 0, 1:] == 65535).all()
    assert "1 of 1 image with transparency, placed on white" in images.notes
    expected = WIDE.astype(float) * (32768 / 65535) + 65535 - 32768
    np.testing.assert_allclose(laid["half"][0].numpy(), expected.transpose(2, 0, 1), rtol=1e-5)
    assert laid["one"][0, :, 2, 3].tolist() == [65535] * 3
    assert laid["one"][0, :, 2, 4].tolist() == one[2, 4].tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.tif", tiff(WIDE, "<", planes=True), "has 16-bit colours in a form that Pillow reduces"),
        ("x.ppm", b"P3 1 1 65535 1 2 3\n", "is a plain PPM with more than 8 bits"),
    ],
)
def test_bits_that_would_be_lost_are_refused(name: str, content: bytes, message: str, tmp_path: Path, read) -> None:
    put(tmp_path / "photos", name, content)
    with pytest.raises(DataError, match=message):
        read("folder", path="photos", shape=(3, 8, 9))


def test_wide_jpeg_2000_colours_are_refused(tmp_path: Path, read) -> None:
    stream = io.BytesIO()
    Image.fromarray((WIDE >> 8).astype(np.uint8)).save(stream, "JPEG2000", no_jp2=True)
    content = bytearray(stream.getvalue())
    put(tmp_path / "photos", "x.j2k", bytes(content))
    assert len(read("folder", path="photos", shape=(3, 8, 9))) == 1
    content[content.index(b"\xff\x4f\xff\x51") + 42] = 11
    put(tmp_path / "photos", "x.j2k", bytes(content))
    with pytest.raises(DataError, match="has 12 bits per value, but only 8 can be read from JPEG2000"):
        read("folder", path="photos", shape=(3, 8, 9))


def test_white_is_what_the_author_says(tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(tmp_path / "photos" / "a.png")
    put(tmp_path / "photos", "b.png", png(np.full((8, 8, 3), 2047, np.uint16), 2))
    Image.new("L", (8, 8), 255).save(tmp_path / "photos" / "c.png")
    images = read("folder", path="photos", shape=(3, 8, 8), white=4095)
    assert images.train[:, 0, 0, 0].tolist() == [1, np.float32(2047) / np.float32(4095), 1]
    assert not any("16 bits" in note for note in images.notes)
    with pytest.raises(DataError, match=r"a.png has the value 4095, outside 0..4000: raise `white=4000`"):
        read("folder", path="photos", shape=(3, 8, 8), white=4000)


def test_each_file_of_a_sensor_is_remarked(tmp_path: Path, read) -> None:
    """This also holds if not all images are dark."""
    (tmp_path / "photos").mkdir()
    for name, most in (("a", 1000), ("b", 4095), ("c", 4000), ("d", 65535)):
        Image.fromarray(np.full((8, 8), most, np.uint16)).save(tmp_path / "photos" / f"{name}.png")
    assert read("folder", path="photos").notes == (
        "4 of 4 images with 16 bits, scaled from 0..65535",
        "1 of 4 images with 16 bits, but no value above 1023 (for a 10-bit sensor, write `white=1023`)",
        "2 of 4 images with 16 bits, but no value above 4095 (for a 12-bit sensor, write `white=4095`)",
    )


def test_palettes_of_grey_are_grey(tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    grey.convert("P").save(tmp_path / "photos" / "x.png")
    assert (read("folder", path="photos").train * 255).round().flatten().tolist() == list(range(64))


@pytest.mark.skipif(os.name == "nt", reason="the program would be called otherwise there")
def test_no_program_is_run_for_a_postscript_file(tmp_path: Path, read, monkeypatch) -> None:
    (tmp_path / "bin").mkdir()
    ghostscript = tmp_path / "bin" / "gs"
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    put(tmp_path / "photos", "cat.png", text)
    put(tmp_path / "photos", "dog.eps", text)
    with pytest.raises(DataError, match=r"1 of 1 image .*\n.*cat.png cannot be decoded \(not one of AVIF, BMP, "):
        read("folder", path="photos")
    assert not (tmp_path / "called").exists()


@pytest.mark.skipif(os.name == "nt", reason="there are no such files there")
def test_pipes_and_devices_among_images_are_refused(tmp_path: Path, read) -> None:
    put(tmp_path / "photos", "a.png", b"")
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "a.png")
    os.mkfifo(tmp_path / "photos" / "b.png")
    (tmp_path / "photos" / "c.png").symlink_to("/dev/zero")
    (tmp_path / "photos" / "d.png").symlink_to("nowhere")
    with pytest.raises(DataError) as caught:
        read("folder", path="photos")
    text = str(caught.value)
    assert "b.png cannot be read: it is a named pipe" in text
    assert "c.png cannot be read: it is a device" in text
    assert "d.png cannot be read: no such file or directory" in text
    assert len(read("folder", path="photos", skip="broken")) == 1


THIN = r"""
import resource, sys
from pathlib import Path
from caedsl.data.sample_format import SampleFormat
from caedsl.data.errors import DataError
from caedsl.data.files.picture import read_picture
from caedsl.model.data import InputRange
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    x = read_picture(Path(sys.argv[1]), SampleFormat((1, 64, 64), InputRange(), True, sys.argv[2])).x_chw
    assert x.shape == (1, 64, 64)
except DataError as error:
    print(error)
print("grew", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def grown(python: str, path: Path, resize: str) -> tuple[int, str]:
    """Return the peak memory in MB of reading a picture in a separate process, and its output."""
    done = subprocess.run([python, "-c", THIN, str(path), resize], capture_output=True, text=True, check=True)
    said, _, megabytes = done.stdout.rpartition("grew ")
    return int(megabytes), said


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted otherwise there")
@pytest.mark.parametrize("resize", ["stretch", "fit", "crop"])
@pytest.mark.parametrize("size", [(1, 500_000), (500_000, 1), (2, 4_000_000)])
def test_thin_images_take_memory_in_proportion(resize: str, size: tuple[int, int], tmp_path: Path, python: str) -> None:
    Image.new("L", size, 200).save(tmp_path / "x.png")
    megabytes, said = grown(python, tmp_path / "x.png", resize)
    assert said == ""
    assert megabytes < 150


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted otherwise there")
@pytest.mark.parametrize(
    ("side", "bits", "colours"), [(13_300, 8, 3), (13_400 * 2, 8, 3), (4100, 8, 6), (2900, 16, 2), (2900, 16, 6)]
)
def test_few_bytes_do_not_become_many_pixels(side: int, bits: int, colours: int, tmp_path: Path, python: str) -> None:
    """16 bits and transparency take several times the memory of a palette."""
    row = zlib.compressobj(9)
    line = bytes(1 + side * bits // 8 * {2: 3, 3: 1, 6: 4}[colours])
    content = b"".join([row.compress(line) for _ in range(side)]) + row.flush()
    header = struct.pack(">IIBBBBB", side, side, bits, colours, 0, 0, 0)
    put(
        tmp_path / "photos",
        "x.png",
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"PLTE", bytes(range(3)) * 16)
        + chunk(b"IDAT", content)
        + chunk(b"IEND", b""),
    )
    megabytes, said = grown(python, tmp_path / "photos" / "x.png", "stretch")
    known = f"x.png claims to have {side:,} x {side:,} pixels in ", "x.png has more than 178,956,970 pixels"
    assert any(words in said for words in known)
    assert megabytes < 50


def test_thin_arrays_take_memory_in_proportion(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", DRAW.integers(0, 256, (4, 1, 200_000), dtype=np.uint8))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for resize in ("stretch", "fit", "crop"):
        assert read("npy", path="x.npy", shape=(1, 64, 64), resize=resize).train.shape == (4, 1, 64, 64)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 200


@pytest.mark.parametrize("across", [64 * 8 - 2, 64 * 8 + 2, 64 * 80])
def test_long_images_are_cropped_alike_at_any_length(across: int, tmp_path: Path, read) -> None:
    """The middle of a slope is its mean, whether the image is cropped before or after scaling."""
    slope = np.linspace(0, 255, across).astype(np.uint8) * np.ones((8, 1), np.uint8)
    (tmp_path / "photos").mkdir()
    Image.fromarray(slope).save(tmp_path / "photos" / "x.png")
    np.save(tmp_path / "x.npy", slope[None])
    for images in (
        read("folder", path="photos", shape=(1, 8, 8), resize="crop"),
        read("npy", path="x.npy", shape=(1, 8, 8), resize="crop"),
    ):
        middle = slope[:, across // 2 - 4 : across // 2 + 4]
        np.testing.assert_allclose(images.train[0, 0].numpy() * 255, middle, atol=1)
