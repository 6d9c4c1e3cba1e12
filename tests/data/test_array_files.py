"""npy and npz files: layouts, types, ranges, and what is refused."""

import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse

from .conftest import idx

DRAW = np.random.default_rng(0)
BYTES = DRAW.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
REAL = InputRange(None, None)


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW"])
def test_grey_layouts_are_distinguished(layout: str, tmp_path: Path, read) -> None:
    grey = BYTES[..., 0]
    stored = {"NHW": grey, "NHWC": grey[..., None], "NCHW": grey[:, None]}[layout]
    np.save(tmp_path / "x.npy", stored)
    images = read("npy", path="x.npy")
    assert torch.equal(images.train, torch.tensor(grey[:, None]).float() / 255)
    assert images.labels is None
    assert images.name == 'npy "x.npy"'


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("channels_first", [True, False])
def test_colour_layouts_are_distinguished(channels_first: bool, order: str, tmp_path: Path, read) -> None:
    expected = BYTES.transpose(0, 3, 1, 2)
    np.save(tmp_path / "x.npy", np.asarray(expected if channels_first else BYTES, order=order))
    images = read("npy", path="x.npy", shape=(3, 8, 8), range=InputRange(0, 255))
    assert images.train.is_contiguous()
    np.testing.assert_array_equal(images.train.numpy(), expected)


def test_a_layout_that_can_be_read_in_two_ways_is_an_error(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 3, 8, 3), np.uint8))
    with pytest.raises(DataError, match="can be read as N x C x H x W and as N x H x W x C"):
        read("npy", path="x.npy", shape=(3, 8, 8))


@pytest.mark.parametrize(
    ("stored", "shape", "message"),
    [
        ((5, 8, 8), (3, 8, 8), "x.npy is 5 x 8 x 8, so an image has one channel, .* write `input 1x8x8`"),
        ((5, 64), (1, 8, 8), "x.npy is 5 x 64: images are N x H x W"),
        ((5, 8, 8, 3), (1, 8, 8), "add `gray`"),
        ((5, 8, 8, 1), (3, 8, 8), "the images are grey: write `input 1x8x8`"),
        ((5, 8, 8, 4), (3, 8, 8), "neither dimension 2 nor dimension 4 is 3"),
        ((0, 8, 8), (1, 8, 8), 'npy "x.npy" contains no images'),
        ((5, 0, 8), (1, 8, 8), "has images without pixels: its shape is 5 x 0 x 8"),
    ],
)
def test_shapes_that_are_no_images_are_explained(stored, shape, message: str, tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.zeros(stored, np.uint8))
    with pytest.raises(DataError, match=message):
        read("npy", path="x.npy", shape=shape)


@pytest.mark.parametrize(
    ("dtype", "white"),
    [("?", 1), ("u1", 255), ("i2", 255), ("<i8", 255), ("u2", 65535), (">u2", 65535), ("<u4", 255)],
)
@pytest.mark.parametrize("range", [InputRange(0, 1), InputRange(-1, 1), InputRange(0, 255), REAL], ids=str)
def test_integers_are_scaled_to_the_range(dtype: str, white: int, range: InputRange, tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.array([0, white] * 32).reshape(1, 8, 8).astype(dtype))
    images = read("npy", path="x.npy", range=range)
    low, high = (0, 1) if range.low is None else (range.low, range.high)
    assert images.train.flatten()[:2].tolist() == [low, high]
    assert any("0..65535" in note for note in images.notes) == ("u2" in dtype)


def test_integers_beyond_a_byte_are_refused(tmp_path: Path, read) -> None:
    array = np.zeros((4, 8, 8), np.int32)
    array[2, 1, 1] = 4095
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=r"x.npy: image 2 \(counted from 0\) has the value 4095, outside 0..255"):
        read("npy", path="x.npy")


@pytest.mark.parametrize("dtype", ["i1", "i2", ">i4", "i8", "u4"])
@pytest.mark.parametrize("range", [InputRange(-1000, 3000), InputRange(-128, 127)], ids=str)
def test_integers_in_a_wide_range_are_taken_as_they_are(dtype: str, range: InputRange, tmp_path: Path, read) -> None:
    array = DRAW.integers(0 if "u" in dtype else -100, 100, (3, 8, 8)).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    images = read("npy", path="x.npy", range=range)
    np.testing.assert_array_equal(images.train[:, 0].numpy(), array.astype(np.float32))
    assert images.notes == (f"{array.dtype} values used unchanged, in {range}",)
    if "1" not in dtype:
        array[2, 0, 0] = 3001
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(DataError, match=r"image 2 .*has the value 3001, outside .* which integers must not leave"):
            read("npy", path="x.npy", range=range)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_booleans_that_are_neither_0_nor_1_are_damage(kind: str, tmp_path: Path, read) -> None:
    array = np.zeros((3, 8, 8), np.uint8)
    array[1, 2, 3] = 200
    stored = array.view(np.bool_)
    (np.save if kind == "npy" else np.savez)(tmp_path / f"x.{kind}", stored)
    for shape in ((1, 8, 8), (1, 4, 4)):
        with pytest.raises(DataError, match=r"image 1 .* has the value 200, outside 0..1, but booleans are stored as"):
            read(kind, path=f"x.{kind}", shape=shape)


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("word", ["labels", "weights"])
def test_booleans_for_samples_are_0_or_1_too(word: str, kind: str, tmp_path: Path, read) -> None:
    images, given = np.zeros((3, 8, 8), np.uint8), np.array([0, 1, 200], np.uint8).view(np.bool_)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "of.npy", given)
    np.savez_compressed(tmp_path / "x.npz", x=images, of=given)
    with pytest.raises(DataError, match="has the value 200, but booleans are stored as 0 and 1: the file is damaged"):
        read(kind, path=f"x.{kind}", key="x" if kind == "npz" else None, **{word: "of.npy" if kind == "npy" else "of"})


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2", "i2", "u4", "f4", ">f8"])
@pytest.mark.parametrize("range", [InputRange(), InputRange(-1, 1), InputRange(-1000, 3000)], ids=str)
def test_white_is_what_the_author_says(dtype: str, range: InputRange, tmp_path: Path, read) -> None:
    array = np.array([0, 100] * 32).reshape(1, 8, 8).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", x=array)
    for kind in ("npy", "npz"):
        images = read(kind, path=f"x.{kind}", range=range, white=100)
        assert images.train.flatten()[:2].tolist() == [range.low, range.high]
        assert images.notes == ()
        with pytest.raises(DataError, match=r"has the value 100, outside 0..99, the range of `white=99`: raise"):
            read(kind, path=f"x.{kind}", range=range, white=99)


def test_arrays_of_a_sensor_are_remarked(tmp_path: Path, read) -> None:
    array = np.zeros((3, 8, 8), np.uint16)
    array[:, 0, 0] = 900, 4095, 65535
    np.save(tmp_path / "x.npy", array)
    assert read("npy", path="x.npy").notes == (
        "16-bit integers scaled from 0..65535",
        "1 of 3 images with 16 bits, but no value above 1023 (for a 10-bit sensor, write `white=1023`)",
        "1 of 3 images with 16 bits, but no value above 4095 (for a 12-bit sensor, write `white=4095`)",
    )
    assert read("npy", path="x.npy", white=65535).notes == ()


def test_dark_images_are_remarked(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 8, 8), 4095, np.uint16))
    assert "the images are dark: no pixel is brighter than 0.0625 of 0..1" in read("npy", path="x.npy").notes


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8"])
def test_real_numbers_in_the_range_are_taken_as_they_are(dtype: str, tmp_path: Path, read) -> None:
    array = DRAW.uniform(-1, 1, (3, 8, 8)).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    images = read("npy", path="x.npy", range=InputRange(-1, 1))
    np.testing.assert_array_equal(images.train.numpy()[:, 0], array.astype(np.float32))


def test_real_numbers_outside_the_range_name_image_value_and_remedies(tmp_path: Path, read) -> None:
    array = np.zeros((4, 8, 8))
    array[3, 2, 2] = 255
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError) as caught:
        read("npy", path="x.npy")
    text = str(caught.value)
    assert f"{tmp_path / 'x.npy'}: image 3 (counted from 0) has the value 255, outside 0..1" in text
    assert "divide the array by 255" in text
    assert "`input 1x8x8 in real`" in text
    assert read("npy", path="x.npy", range=REAL).train.max() == 255


@pytest.mark.parametrize("range", [InputRange(), REAL], ids=str)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_are_not_finite_are_counted(bad: float, range: InputRange, tmp_path: Path, read) -> None:
    array = np.zeros((3000, 2, 2))
    array[[1500, 2999], 0, 1] = bad
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=r"2 of 3,000 images contain NaN .* is image 1500"):
        read("npy", path="x.npy", shape=(1, 2, 2), range=range)


@pytest.mark.parametrize("dtype", ["c8", "U3", "M8[s]"])
def test_other_types_are_refused(dtype: str, tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8), dtype))
    with pytest.raises(DataError, match="images are integers or real numbers"):
        read("npy", path="x.npy")


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_pickles_are_refused_and_not_run(kind: str, tmp_path: Path, read, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array([Bomb()], dtype=object)
    if kind == "npy":
        np.save("x.npy", objects, allow_pickle=True)
    else:
        np.savez("x.npz", x=objects)
    with pytest.raises(DataError, match=f"x.{kind} contains Python objects, which could run code"):
        read(kind, path=f"x.{kind}")
    assert not Path("exploded").exists()


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"hello", b"\x93NUMPY\x01\x00\x05\x00{'a'"])
def test_damaged_files_are_named(kind: str, content: bytes, tmp_path: Path, read) -> None:
    (tmp_path / f"x.{kind}").write_bytes(content)
    with pytest.raises(DataError, match=f"x.{kind} is (damaged, or is )?not an {kind} file"):
        read(kind, path=f"x.{kind}")


def test_truncated_files_are_named(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", BYTES[..., 0])
    np.savez_compressed(tmp_path / "x.npz", x=BYTES[..., 0])
    for name in ("x.npy", "x.npz"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(DataError, match=f"{name} is (not an np. file, or is )?damaged"):
            read(name[2:], path=name)


@pytest.mark.parametrize("kind", ["npy", "npz", "idx", "folder"])
def test_paths_that_lead_nowhere_are_explained(kind: str, tmp_path: Path, read) -> None:
    with pytest.raises(
        DataError, match=f"missing.x does not exist .paths are relative to the folder of the spec, {tmp_path}"
    ):
        read(kind, path="missing.x")
    for path in ("a\0b", "~nobody-of-this-name/x", "x" * 5000):
        with pytest.raises(DataError):
            read(kind, path=path)


@pytest.mark.parametrize("kind", ["npy", "npz", "idx"])
def test_a_folder_in_the_place_of_a_file_is_explained(kind: str, tmp_path: Path, read) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(DataError, match=r"here.* cannot be read: it is a folder"):
        read(kind, path="here")


def test_an_npz_needs_a_key_where_it_has_several_arrays(tmp_path: Path, read) -> None:
    np.savez(tmp_path / "one.npz", photos=BYTES[..., 0])
    np.savez(tmp_path / "two.npz", photos=BYTES[..., 0], kind=np.array([1, 0, 1, 0, 1]))
    assert len(read("npz", path="one.npz")) == 5
    with pytest.raises(DataError, match=r'contains 2 arrays \(photos, kind\): .* `npz ".*two.npz" key=photos`'):
        read("npz", path="two.npz")
    with pytest.raises(DataError, match=r"two.npz has no array `x`: its arrays are photos, kind"):
        read("npz", path="two.npz", key="x")
    np.savez(tmp_path / "none.npz")
    with pytest.raises(DataError, match=r"none\.npz contains no arrays"):
        read("npz", path="none.npz")
    images = read("npz", path="two.npz", key="photos", labels="kind", only=1)
    assert len(images) == 3
    assert images.labels.tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["../x", "my scans", "été", "1", "x-y", "\n"])
def test_the_key_that_is_proposed_can_be_written(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{name: BYTES[..., 0], 'a"b': BYTES[..., 0]})
    text = 'autoencoder tiny\ninput 1x8x8\ndata npz "x.npz"\nencoder { conv 1 }\nbottleneck\ndecoder mirror\n'
    with pytest.raises(DataError) as error:
        load(resolved(text, tmp_path))
    proposed = re.findall(r"key=[^`]*", str(error.value))[-1]
    text = text.replace('"x.npz"', f'"x.npz" {proposed}')
    if name == "\n":  # no spec can write it
        assert proposed == 'key="…"'
    else:
        assert len(load(resolved(text, tmp_path))) == 5


def resolved(text: str, folder: Path) -> Autoencoder:
    source = Source(text, str(folder / "tiny.cae"))
    model, findings = resolve(parse(source)[0], source)
    assert model is not None and not findings, findings
    return model


def test_npy_and_npz_are_not_mixed_up(tmp_path: Path, read) -> None:
    np.savez(tmp_path / "x.npz", x=BYTES)
    np.save(tmp_path / "x.npy", BYTES)
    (tmp_path / "x.npz").rename(tmp_path / "was_npz")
    with pytest.raises(DataError, match="write `npz`"):
        read("npy", path="was_npz")
    with pytest.raises(DataError, match="write `npy`"):
        read("npz", path="x.npy")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(5), "labels are whole numbers or words, but these have the type float64"),
        (np.zeros((5, 2), int), "labels are one number per sample, but the shape of this array is 5 x 2"),
        (np.zeros(4, int), "has 5 samples but 4 labels"),
    ],
)
def test_labels_that_do_not_fit_are_explained(labels: np.ndarray, message: str, tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", BYTES[..., 0])
    np.save(tmp_path / "y.npy", labels)
    with pytest.raises(DataError, match=message):
        read("npy", path="x.npy", labels="y.npy")


def test_a_column_of_labels_will_do(tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", BYTES[..., 0])
    np.save(tmp_path / "y.npy", np.arange(5, dtype=np.uint8)[:, None])
    assert read("npy", path="x.npy", labels="y.npy").labels.tolist() == [0, 1, 2, 3, 4]


def test_a_limit_reads_no_more_than_it_needs(tmp_path: Path, read) -> None:
    """Only the part of a large file that is used is read."""
    large = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (20_000, 64, 64))
    large[::2] = 255
    del large
    tracemalloc.start()
    images = read("npy", path="x.npy", shape=(1, 64, 64), limit=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(images.train.mean(dim=(1, 2, 3)).tolist()) == {0.0, 1.0}
    assert images.notes == ("limited to 10 randomly chosen images",)
    assert peak < 10_000_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["?", "u1", "u2", "i4", "f4", "f8"]).map(np.dtype),
        hnp.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=4),
    ),
    st.sampled_from([(1, 3, 2), (3, 2, 2)]),
    st.sampled_from([InputRange(), InputRange(-1, 1), REAL]),
    st.sampled_from(["stretch", "fit", "crop"]),
    st.booleans(),
)
def test_any_array_loads_as_promised_or_is_explained(tmp_path, read, array, shape, range, resize, gray) -> None:
    np.save(tmp_path / "x.npy", array)
    try:
        images = read("npy", path="x.npy", shape=shape, range=range, resize=resize, gray=gray)
    except DataError:
        return
    assert images.train.shape == (len(array), *shape)
    assert images.train.dtype == torch.float32
    assert images.train.is_contiguous()
    assert bool(torch.isfinite(images.train).all())
    if range.bounded:
        assert range.low <= images.train.min() <= images.train.max() <= range.high


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(["npy", "npz"]), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3))
def test_no_damage_makes_a_file_fail_otherwise(tmp_path: Path, read, kind: str, damage) -> None:
    path = tmp_path / f"x.{kind}"
    path.unlink(missing_ok=True)
    (np.save if kind == "npy" else np.savez_compressed)(path, BYTES[..., 0])
    content = bytearray(path.read_bytes())
    for place, byte in damage:
        content[int(place * (len(content) - 1))] = byte
    path.write_bytes(content)
    named = path.name
    try:
        read(kind, path=path.name)
    except DataError as error:
        named = str(error)
    assert path.name in named


@pytest.mark.parametrize("layout", ["first", "last"])
def test_the_author_says_where_the_channels_are(layout: str, tmp_path: Path, read) -> None:
    array = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 3), np.uint8)
    np.save(tmp_path / "x.npy", array)
    shape = (3, 8, 3) if layout == "first" else (3, 3, 8)
    images = read("npy", path="x.npy", shape=shape, range=InputRange(0, 255), layout=layout)
    np.testing.assert_array_equal(images.train.numpy(), array if layout == "first" else array.transpose(0, 3, 1, 2))
    np.save(tmp_path / "y.npy", np.zeros((2, 3, 8, 8), np.uint8))
    with pytest.raises(DataError, match=r"`layout=last` with the input .* needs .* channels? in the last dimension"):
        read("npy", path="y.npy", shape=(3, 8, 8), layout="last")


@pytest.mark.parametrize("kind", ["npy", "npz", "idx"])
def test_arrays_of_the_author_are_validated_and_tested_on(kind: str, tmp_path: Path, read) -> None:
    arrays = {name: np.full((size, 8, 8), size, np.uint8) for name, size in (("x", 9), ("v", 4), ("t", 2))}
    written = {name: name if kind == "npz" else f"{name}.{kind}" for name in arrays}
    np.savez(tmp_path / "a.npz", **arrays)
    for name, array in arrays.items():
        (tmp_path / f"{name}.idx").write_bytes(idx(array))
        np.save(tmp_path / f"{name}.npy", array)
    options = {"path": "a.npz", "key": "x"} if kind == "npz" else {"path": written["x"]}
    images = read(kind, **options, validation=written["v"], test=written["t"], range=InputRange(0, 255))
    assert (len(images), len(images.validation_pixels), len(images.test)) == (9, 4, 2)
    assert float(images.validation_pixels.everything().mean()) == 4
