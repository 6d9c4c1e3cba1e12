"""Folders of image files: what is found, how it is decoded, what is refused."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from caedsl.data import first_reading
from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.model.data import DataSource, InputRange

from .conftest import spec


def save(
    path: Path, colour: object = (10, 20, 30), mode: str = "RGB", size: tuple[int, int] = (8, 8), **options
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def pixel(images, number: int = 0) -> list[float]:
    """Return the colour of the middle of an image, in 0..255."""
    return (images.train[number, :, 4, 4] * 255).round().tolist()


def test_a_flat_folder_has_no_labels(tmp_path: Path, read) -> None:
    for number, name in enumerate(("b.png", "a.jpg", "c.bmp", "d.GIF")):
        save(tmp_path / "photos" / name, number * 40, "L")
    images = read("folder", path="photos")
    assert images.labels is None
    assert images.class_names == ()
    assert images.name == 'folder "photos"'
    assert [pixel(images, number) for number in range(4)] == [[40], [0], [80], [120]]
    assert images.notes == ()


def test_class_subfolders_are_labels(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "dog" / "deep" / "1.png", 1, "L")
    save(tmp_path / "photos" / "cat" / "1.png", 200, "L")
    save(tmp_path / "photos" / "cat" / "2.png", 3, "L")
    images = read("folder", path="photos")
    assert images.class_names == ("cat", "dog")
    assert images.labels.tolist() == [0, 0, 1]
    assert read("folder", path="photos", only="cat").labels.tolist() == [0, 0]
    assert read("folder", path="photos", only=1).labels.tolist() == [1]
    with pytest.raises(DataError, match=r'folder "photos" has no class 2: its classes are cat, dog'):
        read("folder", path="photos", only=2)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_of_classes_that_are_not_utf8_are_escaped(tmp_path: Path, read) -> None:
    for name in (b"caf\xe8", b"caf\xe9"):
        save(tmp_path / "photos" / os.fsdecode(name) / "1.png", 1, "L")
    images = read("folder", path="photos")
    assert images.class_names == ("caf\\xe8", "caf\\xe9")
    assert images.labels.tolist() == [0, 1]
    assert all((tmp_path / "photos" / name).exists() for name in images.names["train"])


def test_classes_that_are_numbers_are_meant_by_name(tmp_path: Path, read) -> None:
    for name in ("1", "2", "10"):
        save(tmp_path / "photos" / name / "x.png", int(name) * 20, "L")
    assert pixel(read("folder", path="photos", only=10)) == [200]
    with pytest.raises(DataError, match="no class 0: its classes are 1, 10, 2"):
        read("folder", path="photos", only=0)


def test_train_and_test_subfolders_are_the_parts(tmp_path: Path, read) -> None:
    """The layout of MVTec AD: good images to train on, good and bad ones for testing, with masks."""
    save(tmp_path / "nuts" / "train" / "good" / "1.png", 40, "L")
    save(tmp_path / "nuts" / "test" / "good" / "1.png", 40, "L")
    save(tmp_path / "nuts" / "test" / "broken" / "1.png", 80, "L")
    save(tmp_path / "nuts" / "ground_truth" / "broken" / "1.png", 255, "L")
    images = read("folder", path="nuts")
    assert images.class_names == ("broken", "good")
    assert images.labels.tolist() == [1]
    assert images.test_labels.tolist() == [0, 1]
    assert (images.test[:, 0, 0, 0] * 255).tolist() == [80, 40]
    assert images.notes == ("only train and test are read, not ground_truth",)
    only_bad_to_test = read("folder", path="nuts/test", only="broken")
    assert only_bad_to_test.test is None


def test_test_images_without_train_are_explained(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "test" / "1.png")
    with pytest.raises(DataError, match="a subfolder test but none named train: put the training files into"):
        read("folder", path="photos")


def test_what_is_no_image_is_left_out_and_named(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "cat" / "1.png", 90, "L")
    save(tmp_path / "photos" / "2.png", 90, "L")
    save(tmp_path / "photos" / ".hidden.png", 90, "L")
    (tmp_path / "photos" / "notes.txt").write_text("mine")
    images = read("folder", path="photos")
    assert len(images) == 2
    assert images.labels is None
    assert images.notes == (
        "in photos, ignored because they are not images: notes.txt",
        "no labels for photos: 1 of 2 files are not in a class subfolder: 2.png",
    )
    with pytest.raises(DataError, match=r"`only=cat` needs a label .*photos 1 of 2 files are not in .*: 2.png; move"):
        read("folder", path="photos", only="cat")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights there")
def test_links_are_followed_but_not_in_circles(tmp_path: Path, read) -> None:
    save(tmp_path / "elsewhere" / "1.png", 90, "L")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "photos")
    images = read("folder", path="photos")
    assert images.class_names == ("cat",)
    assert len(images) == 1


def test_a_folder_without_images_is_not_available(tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"photos contains no images"):
        read("folder", path="photos")
    model = spec(DataSource("folder", path="photos"), DataSource("digits"), folder=tmp_path)
    assert load(model).notes[0].startswith('using digits, because folder "photos" is not available')


def test_a_file_in_the_place_of_a_folder_is_explained(tmp_path: Path, read) -> None:
    save(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"x.png is a file, but `folder` reads a folder"):
        read("folder", path="x.png")


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def test_broken_files_are_named(tmp_path: Path, read) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.jpg", "c.png", "d.png", "e.png"):
        noise.save(tmp_path / "photos" / name)
    cut(tmp_path / "photos" / "a.png", 900)
    cut(tmp_path / "photos" / "b.jpg", 900)
    (tmp_path / "photos" / "c.png").write_text("not an image")
    (tmp_path / "photos" / "d.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        read("folder", path="photos")
    lines = str(caught.value).splitlines()
    assert lines[0] == '4 of 5 images of folder "photos" cannot be used:'
    assert "a.png cannot be decoded (" in lines[1]
    assert "b.jpg cannot be decoded (" in lines[2]
    for line, name in zip(lines[3:5], "cd", strict=True):
        assert f"{name}.png cannot be decoded (not one of AVIF, BMP, GIF, " in line
    assert lines[5:] == ["to skip such files, add `skip=broken` to the source"]


def test_broken_files_of_all_blocks_are_named_together(tmp_path: Path, read, monkeypatch) -> None:
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 2)
    for number in range(60):
        path = save(tmp_path / "photos" / f"{number:02}.png", 5, "L")
        if number % 2:
            path.write_text("broken")
    with pytest.raises(DataError) as caught:
        read("folder", path="photos")
    lines = str(caught.value).splitlines()
    assert lines[0] == '30 of 60 images of folder "photos" cannot be used:'
    assert [number for number in range(60) if any(f"{number:02}.png" in line for line in lines)] == [*range(1, 41, 2)]
    assert lines[21] == "and 10 more files"


def test_a_long_scan_ends_some_time_after_the_first_broken_file(tmp_path: Path, read, monkeypatch) -> None:
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 1)
    monkeypatch.setattr(first_reading, "_SCAN_SECONDS", -1)
    for number in range(9):
        save(tmp_path / "photos" / f"{number}.png", 5, "L")
    (tmp_path / "photos" / "3.png").write_text("broken")
    with pytest.raises(DataError, match=r'1 of the first 4 of 9 images of folder "photos" cannot be used'):
        read("folder", path="photos")


@pytest.mark.parametrize("memory", [None, 100])
def test_broken_files_are_left_out_on_request(memory: int | None, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 2)
    for number in range(8):
        save(tmp_path / "photos" / "train" / ("cat", "dog")[number % 2] / f"{number}.png", 20 + number, "L")
        save(tmp_path / "photos" / "test" / "cat" / f"{number}.png", 20 + number, "L")
    broken = [tmp_path / "photos" / "train" / "cat" / f"{number}.png" for number in (0, 2, 4)]
    broken.append(tmp_path / "photos" / "test" / "cat" / "7.png")
    for path in broken:
        path.write_text("broken")
    model = spec(DataSource("folder", path="photos", skip="broken"), folder=tmp_path)
    images = load(model, memory=memory)
    assert (images.train[:, 0, 4, 4] * 255).round().tolist() == [26, 21, 23, 25, 27]
    assert images.labels.tolist() == [0, 1, 1, 1, 1]
    assert len(images.test_labels) == len(images.test_pixels) == 7
    assert [text.split(" cannot be decoded (")[0] for text in images.skipped] == [str(path) for path in broken]
    assert any(note.startswith("3 of 8 images skipped as broken: ") for note in images.notes)
    assert any(note.startswith("test: 1 of 8 images skipped as broken: ") for note in images.notes)


def test_nothing_but_broken_files_is_an_error_all_the_same(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "1.png").write_text("broken")
    with pytest.raises(DataError, match=r'1 of 1 image of folder "photos" cannot be used'):
        read("folder", path="photos", skip="broken")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
)
@pytest.mark.filterwarnings("ignore")
def test_no_damage_makes_an_image_fail_otherwise(tmp_path: Path, read, kind: str, damage) -> None:
    path = tmp_path / "photos" / "x.png"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 100, 50)).save(stream, kind)
    content = bytearray(stream.getvalue())
    for place, byte in damage:
        content[int(place * (len(content) - 1))] = byte
    path.write_bytes(content)
    named = "photos"
    try:
        images = read("folder", path="photos", shape=(3, 8, 8))
        assert 0 <= images.train.min() <= images.train.max() <= 1
    except DataError as error:
        named = str(error)
    assert "photos" in named


def test_sixteen_bits_are_scaled_from_their_own_range(tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(tmp_path / "photos" / "white.png")
    Image.fromarray(np.full((8, 8), 32768, np.uint16)).save(tmp_path / "photos" / "tiff.tif")
    images = read("folder", path="photos")
    assert images.train[:, 0, 0, 0].tolist() == [np.float32(32768) / np.float32(65535), 1.0]
    assert images.notes == ("2 of 2 images with 16 bits, scaled from 0..65535",)


def test_real_numbers_in_a_tiff_must_lie_in_the_range(tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    array = np.full((8, 8), -0.5, np.float32)
    Image.fromarray(array).save(tmp_path / "photos" / "x.tif")
    with pytest.raises(DataError, match=r"x.tif has the value -0.5, outside 0..1: scale it, or write"):
        read("folder", path="photos")
    assert pixel(read("folder", path="photos", range=InputRange(-1, 1))) == [round(-0.5 * 255)]
    array[0, 0] = np.nan
    Image.fromarray(array).save(tmp_path / "photos" / "x.tif")
    with pytest.raises(DataError, match=r"x.tif contains NaN or infinity"):
        read("folder", path="photos", range=InputRange(None, None))


def test_palettes_and_print_colours_become_red_green_blue(tmp_path: Path, read) -> None:
    picture = Image.new("RGB", (8, 8), (200, 100, 50))
    (tmp_path / "photos").mkdir()
    picture.quantize(4).save(tmp_path / "photos" / "a.png")
    picture.convert("CMYK").save(tmp_path / "photos" / "b.tif")
    Image.new("1", (8, 8), 1).save(tmp_path / "photos" / "c.png")
    images = read("folder", path="photos", shape=(3, 8, 8))
    assert [pixel(images, number) for number in range(3)] == [[200, 100, 50], [200, 100, 50], [255, 255, 255]]
    assert images.notes == ("1 of 3 images grey, repeated over 3 channels",)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_transparency_is_placed_on_white(mode: str, tmp_path: Path, read) -> None:
    (tmp_path / "photos").mkdir()
    picture = Image.new("RGBA", (8, 8), (100, 100, 100, 0))
    if mode == "P":
        picture = Image.new("P", (8, 8), 0)
        picture.putpalette([100, 100, 100])
        picture.info["transparency"] = 0
    picture = picture if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "photos" / "x.png")
    images = read("folder", path="photos")
    assert pixel(images) == [255]
    assert images.notes == ("1 of 1 image with transparency, placed on white",)


def test_an_opaque_fourth_channel_is_not_worth_a_word(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "x.png", (200, 100, 50, 255), "RGBA")
    images = read("folder", path="photos", shape=(3, 8, 8))
    assert pixel(images) == [200, 100, 50]
    assert images.notes == ()


def test_colours_need_the_word_gray(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "x.png", (200, 100, 50))
    with pytest.raises(DataError, match=r"x.png is in colour, but the input is 1x8x8: .* add `gray`"):
        read("folder", path="photos")
    images = read("folder", path="photos", gray=True)
    assert pixel(images) == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]
    assert images.notes == ("1 of 1 image in colour, converted to grey (ITU-R 601 luma)",)


def test_grey_images_alone_do_not_make_colours(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "x.png", 3, "L")
    with pytest.raises(DataError, match=r"all images of .*photos are grey, .* write `input 1x8x8`"):
        read("folder", path="photos", shape=(3, 8, 8))
    with pytest.raises(DataError, match="image files have 1 or 3 channels, but the input is 4x8x8"):
        read("folder", path="photos", shape=(4, 8, 8))


def test_images_are_turned_as_the_camera_was_held(tmp_path: Path, read) -> None:
    """With orientation 6, the stored image is rotated a quarter turn clockwise."""
    stored = np.zeros((4, 8), np.uint8)
    stored[:, :2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "photos").mkdir()
    Image.fromarray(stored).save(tmp_path / "photos" / "x.png", exif=exif)
    images = read("folder", path="photos", shape=(1, 8, 4))
    assert images.train[0, 0, :, 0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert images.notes == ()


def test_the_first_of_several_frames_is_taken(tmp_path: Path, read) -> None:
    frames = [Image.new("L", (8, 8), grey) for grey in (250, 30)]
    (tmp_path / "photos").mkdir()
    frames[0].save(tmp_path / "photos" / "x.gif", save_all=True, append_images=frames[1:])
    images = read("folder", path="photos")
    assert pixel(images) == [250]
    assert images.notes == ("1 of 1 image with several frames, of which the first is used",)


@pytest.mark.parametrize(
    ("resize", "columns"),
    [("stretch", [0, 255, 0, 0]), ("fit", [0, 255, 0, 0]), ("crop", [255, 255, 0, 0])],
)
def test_sizes_are_made_the_inputs(resize: str, columns: list[int], tmp_path: Path, read) -> None:
    """A picture twice as wide as high, white from the first to the second quarter."""
    stored = np.zeros((40, 80), np.uint8)
    stored[:, 20:40] = 255
    (tmp_path / "photos").mkdir()
    Image.fromarray(stored).save(tmp_path / "photos" / "x.png")
    images = read("folder", path="photos", shape=(1, 20, 20), resize=resize)
    middle = images.train[0, 0, 10]
    assert (middle[[2, 7, 12, 17]] * 255).tolist() == columns
    assert images.notes == (f"1 of 1 image resized to 20x20 ({resize})",)
    assert images.train[0, 0, 2].max() == (0 if resize == "fit" else 1)


def test_large_jpegs_come_out_as_if_decoded_in_full(tmp_path: Path, read) -> None:
    slope = np.add.outer(np.linspace(0, 120, 512), np.linspace(0, 120, 512)).astype(np.uint8)
    (tmp_path / "photos").mkdir()
    Image.fromarray(slope).save(tmp_path / "photos" / "x.jpg", quality=95)
    fast = read("folder", path="photos", shape=(1, 16, 16)).train[0, 0]
    full = Image.open(tmp_path / "photos" / "x.jpg").resize((16, 16), Image.Resampling.BILINEAR)
    assert (fast * 255 - torch.from_numpy(np.array(full)).float()).abs().max() <= 3


def test_loading_twice_is_the_same_and_the_checksum_differs_for_other_files(tmp_path: Path, read) -> None:
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", number * 12, "L")
    first, second = read("folder", path="photos"), read("folder", path="photos")
    assert torch.equal(first.train, second.train)
    assert first.sha256 == second.sha256
    save(tmp_path / "photos" / "07.png", 1, "L")
    assert read("folder", path="photos").sha256 != first.sha256


def test_a_validation_folder_of_the_author_is_read(tmp_path: Path, read) -> None:
    save(tmp_path / "photos" / "a.png", 1, "L")
    save(tmp_path / "checked" / "b.png", 2, "L")
    save(tmp_path / "photos" / "inside" / "c.png", 3, "L")
    images = read("folder", path="photos", validation="checked")
    assert (len(images), len(images.validation_pixels)) == (2, 1)
    assert list(images.names["validation"]) == ["b.png"]
    with pytest.raises(DataError, match="is inside the folder of training images"):
        read("folder", path="photos", validation="photos/inside")
    with pytest.raises(DataError, match="is a file, but `folder` reads a folder after `test=`"):
        read("folder", path="photos", test="checked/b.png")
