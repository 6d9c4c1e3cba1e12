import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from caedsl.data.files.picture import read_picture
from caedsl.data.sample_format import SampleFormat
from caedsl.inference.picture_files import file_for, picture_bytes
from caedsl.inference.pictures import Original, heat, read_original, restored
from caedsl.model.data import InputRange

DRAWN = np.random.default_rng(0)
KINDS = {
    "grey8": (DRAWN.integers(0, 256, (12, 18), np.uint8), 255),
    "colour8": (DRAWN.integers(0, 256, (12, 18, 3), np.uint8), 255),
    "grey16": (DRAWN.integers(0, 65536, (12, 18), np.uint16), 65535),
    "colour16": (DRAWN.integers(0, 65536, (12, 18, 3), np.uint16), 65535),
    "real": (DRAWN.random((12, 18), np.float32), 0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("range_", [InputRange(), InputRange(-1.0, 1.0)], ids=str)
def test_a_perfect_reconstruction_is_the_original_to_the_last_bit(
    tmp_path: Path, kind: str, range_: InputRange
) -> None:
    pixels, white = KINDS[kind]
    if kind == "real" and range_ != InputRange():
        pixels = pixels * 2 - 1
    original = Original(pixels, white)
    path = tmp_path / file_for("x.png", pixels)
    path.write_bytes(picture_bytes(pixels, path.suffix))
    fit = SampleFormat((3 if pixels.ndim == 3 else 1, 12, 18), range_, False, "stretch")
    again = read_original(path)
    assert np.array_equal(again.pixels, pixels)
    assert again.white == white
    x_chw = read_picture(path, fit).x_chw
    x_chw = x_chw.float() / 255 * (fit.high - fit.low) + fit.low if x_chw.dtype == torch.uint8 else x_chw
    assert np.array_equal(restored(x_chw, original, fit), pixels)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_pictures_of_a_sensor_keep_its_values(tmp_path: Path) -> None:
    """A source with `white=4095`."""
    fit = SampleFormat((1, 8, 8), InputRange(), False, "stretch")
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 65
    (tmp_path / "x.png").write_bytes(picture_bytes(pixels))
    x_chw = read_picture(tmp_path / "x.png", fit, white=4095).x_chw
    assert x_chw.max() == 1
    assert np.array_equal(restored(x_chw, read_original(tmp_path / "x.png", 4095), fit), pixels)
    (tmp_path / "bytes.png").write_bytes(picture_bytes(pixels.astype(np.uint8)))
    assert read_original(tmp_path / "bytes.png", 4095).white == 255


@pytest.mark.parametrize("resize", ["stretch", "fit", "crop"])
@pytest.mark.parametrize(("height", "width"), [(40, 64), (64, 40), (50, 50)])
def test_the_size_and_what_was_seen_come_back(tmp_path: Path, resize: str, height: int, width: int) -> None:
    y, x = np.mgrid[0:height, 0:width]
    pixels = (127 + 60 * np.sin(y / 9) + 60 * np.cos(x / 11)).round().astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    fit = SampleFormat((1, 32, 32), InputRange(), False, resize)
    x_chw = read_picture(tmp_path / "x.png", fit).x_chw.float() / 255
    back = restored(x_chw, read_original(tmp_path / "x.png"), fit)
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 5
    empty = restored(torch.zeros_like(x_chw), read_original(tmp_path / "x.png"), fit)
    if resize == "crop" and height != width:
        side = min(height, width)
        assert (empty == 0).sum() == side * side
        assert np.array_equal(empty[empty != 0], pixels[empty != 0])
    else:
        assert not empty.any()


LOSSLESS = (
    *(("grey8", ending) for ending in ("BMP", "gif", "jp2", "pgm", "png", "pnm", "tif", "tiff")),
    *(("colour8", ending) for ending in ("BMP", "jp2", "png", "pnm", "ppm", "tif", "tiff", "webp")),
    *(("grey16", ending) for ending in ("pgm", "png", "pnm", "tif", "TIFF")),
    *(("colour16", ending) for ending in ("png", "tif", "tiff")),
    *(("real", ending) for ending in ("tif", "tiff")),
)


@pytest.mark.parametrize(("kind", "ending"), LOSSLESS)
def test_a_reconstruction_keeps_the_format_of_a_file(tmp_path: Path, kind: str, ending: str) -> None:
    pixels, white = KINDS[kind]
    name = f"x.{ending}"
    assert file_for(name, pixels) == name
    (tmp_path / name).write_bytes(picture_bytes(pixels, f".{ending}"))
    again = read_original(tmp_path / name)
    assert np.array_equal(again.pixels, pixels)
    assert again.white == white
    with Image.open(tmp_path / name) as opened:
        assert opened.format == Image.registered_extensions()[f".{ending.lower()}"]


@pytest.mark.parametrize(
    ("kind", "name", "file"),
    [
        ("grey8", "a.avif", "a.avif.png"),
        ("colour8", "a.gif", "a.gif.png"),
        ("grey16", "a.jpg", "a.jpg.png"),
        ("colour16", "a.ppm", "a.ppm.png"),
        ("real", "a.png", "a.png.tif"),
    ],
)
def test_a_format_that_cannot_store_the_pixels_gets_another_ending(kind: str, name: str, file: str) -> None:
    assert file_for(name, KINDS[kind][0]) == file


def test_a_map_is_dark_where_there_is_no_error() -> None:
    map_ = torch.zeros(4, 6)
    map_[1, 2] = 0.3
    colours = heat(map_)
    assert colours.shape == (4, 6, 3)
    assert colours[1, 2].sum() > 500
    assert colours[0, 0].sum() < 20
    assert heat(torch.zeros(2, 2)).max() < 20
    Image.fromarray(colours).save(io.BytesIO(), "PNG")
