"""Samples in Parquet files, in datasets of Hugging Face, and in stores of the user's own."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import caedsl
from caedsl.data import first_reading
from caedsl.data.errors import DataError
from caedsl.data.in_memory import images_of
from caedsl.data.stacks import array_stack
from caedsl.data.stacks.pixels import Streamed
from caedsl.data.store import Store
from tests.cli.test_fuzzed_specs import peak_memory, reset_peak_memory

from .conftest import spec

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
LABELS = np.arange(12) % 3


def png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "png")
    return content.getvalue()


def values(images) -> np.ndarray:
    return (images.train[:, 0] * 255).round().numpy().astype(np.uint8)


COLUMNS = {
    "bytes": [png(image) for image in IMAGES],
    "structs": [{"bytes": png(image), "path": None} for image in IMAGES],
    "lists": IMAGES.tolist(),
    "flat and fixed": pa.array(IMAGES.tolist(), pa.list_(pa.list_(pa.uint8(), 8), 8)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_of_parquet(kind: str, read, tmp_path: Path) -> None:
    column = COLUMNS[kind]
    if kind == "lists":
        column = pa.array(column, pa.list_(pa.list_(pa.uint8())))
    table = pa.table({"image": column, "digit": LABELS, "weight": np.ones(12)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=5)
    images = read("parquet", path="x.parquet", labels="digit")
    np.testing.assert_array_equal(values(images), IMAGES)
    assert images.labels.tolist() == LABELS.tolist()
    some = read("parquet", path="x.parquet", labels="digit", only=1)
    np.testing.assert_array_equal(values(some), IMAGES[LABELS == 1])
    assert some.sha256 != images.sha256 == read("parquet", path="x.parquet").sha256
    assert some.name_of("train", 1) == "4"


def test_a_column_of_paths(read, tmp_path: Path) -> None:
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    names = [f"{number}.png" for number in range(12)]
    pq.write_table(pa.table({"file": names, "kind": ["odd", "even"] * 6}), tmp_path / "x.parquet")
    images = read("parquet", path="x.parquet", key="file", labels="kind", only="even")
    np.testing.assert_array_equal(values(images), IMAGES[1::2])
    assert images.class_names == ("even", "odd")
    assert images.name_of("train", 0) == "1.png"


def test_categorical_columns_of_parquet_are_read_as_their_values(read, tmp_path: Path) -> None:
    """pandas writes them for columns of the type ``category``."""
    columns = {
        "image": pa.array(COLUMNS["bytes"], pa.binary()),
        "kind": pa.array(["odd", "even"] * 6),
        "weight": pa.array([1.0, 2.0] * 6),
    }
    table = pa.table({name: column.dictionary_encode() for name, column in columns.items()})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=5)
    images = read("parquet", path="x.parquet", labels="kind", weights="weight")
    np.testing.assert_array_equal(values(images), IMAGES)
    assert images.class_names == ("even", "odd")
    assert images.labels.tolist() == [1, 0] * 6
    assert images.weights.tolist() == [1, 2] * 6


def test_a_folder_of_parquet_files_has_parts(read, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name, part in {
        "train-00000-of-00002": slice(0, 4),
        "train-00001-of-00002": slice(4, 8),
        "test-0": slice(8, 12),
    }.items():
        pq.write_table(pa.table({"image": COLUMNS["bytes"][part]}), tmp_path / "set" / f"{name}.parquet")
    images = read("parquet", path="set")
    np.testing.assert_array_equal(values(images), IMAGES[:8])
    np.testing.assert_array_equal((images.test[:, 0] * 255).round().numpy(), IMAGES[8:])


def test_targets_of_parquet(read, tmp_path: Path) -> None:
    pq.write_table(pa.table({"noisy": COLUMNS["bytes"], "clean": COLUMNS["bytes"][::-1]}), tmp_path / "x.parquet")
    images = read("parquet", path="x.parquet", key="noisy", target="clean")
    np.testing.assert_array_equal(values(images), IMAGES)
    assert torch.equal(images.train_targets.everything(), images.train.flip(0))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            {"a": [b"x"], "b": [b"x"]},
            {},
            "has 2 columns that may contain samples: choose one with `key=` in the data line .a, b",
        ),
        ({"a": [1]}, {}, "has 0 columns that may contain samples"),
        ({"a": [1]}, {"key": "b"}, "has no column `b`: its columns are a"),
        ({"a": [1]}, {"key": "a"}, "column `a` has the type int64, but samples are images, paths or lists"),
        ({"a": [b"x"]}, {}, r"row 0 \(counted from 0\) cannot be decoded .*add `skip=broken`"),
        ({"a": [None, b"x"]}, {}, r"row 0 \(counted from 0\) has no image"),
        ({"a": [[[1, 2], [3]]]}, {}, "`a` is not an array of numbers"),
        ({"a": [[[1, 2]], [[1]]]}, {}, "the arrays of column `a` differ in shape"),
        ({"a": [["x"]]}, {}, "is not an array of numbers"),
        ({"a": [None, [1]]}, {}, "is not an array of numbers"),
        ({"a": [b"x"]}, {"labels": "b"}, "has no column `b` of labels"),
        ({"a": [b"x"], "b": [None]}, {"labels": "b"}, "1 row without a label in `b`"),
        ({"a": pa.array([], pa.binary())}, {}, "has no rows"),
        ({"a": [""]}, {"key": "a"}, r"row 0 \(counted from 0\): the column `a` is empty: write the path"),
        ({"a": ["b\0.png"]}, {"key": "a"}, "the column `a` is .* with a NUL character, .*: correct the path"),
    ],
)
def test_what_is_wrong_with_a_table_is_reported(table: dict, options: dict, message: str, read, tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=f"(?s){message}"):
        read("parquet", path="x.parquet", **options)


@pytest.mark.parametrize("length", [0, 4, 50, 400])
def test_a_damaged_file_is_named(length: int, read, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": COLUMNS["bytes"]}), tmp_path / "x.parquet")
    content = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(content[:length])
    with pytest.raises(DataError, match=r"x.parquet is not a Parquet file"):
        read("parquet", path="x.parquet")


def test_one_value_cannot_stand_for_more_rows_than_memory_holds(read, tmp_path: Path, monkeypatch) -> None:
    pq.write_table(pa.table({"image": [bytes(1000)] * 5000}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    monkeypatch.setattr("caedsl.data.readers.parquet.available_memory", lambda: 2_000_000)
    with pytest.raises(DataError, match=r"x.parquet does not fit into memory .2,000,000 bytes"):
        read("parquet", path="x.parquet")


def test_paths_of_a_table_stay_in_the_root(tmp_path: Path) -> None:
    from caedsl.data.loading import load
    from caedsl.model.data import DataSource

    (tmp_path / "inside").mkdir()
    pq.write_table(pa.table({"file": ["../outside.png"]}), tmp_path / "inside" / "x.parquet")
    model = spec(DataSource("parquet", path="x.parquet", key="file"), folder=tmp_path / "inside")
    with pytest.raises(DataError, match=r"leads to .*, outside "):
        load(model, root=tmp_path / "inside")


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch):
    return pytest.importorskip("datasets")


def test_datasets_of_hugging_face(datasets) -> None:
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=["a", "b", "c"]))
    rows = {"image": [Image.fromarray(image) for image in IMAGES], "label": LABELS.tolist()}
    whole = datasets.Dataset.from_dict(rows, features=features)
    images = images_of(whole, spec())
    np.testing.assert_array_equal(values(images), IMAGES)
    assert images.class_names == ("a", "b", "c") and images.labels.tolist() == LABELS.tolist()
    chosen = images_of(whole.select([5, 2, 7]), spec())
    np.testing.assert_array_equal(values(chosen), IMAGES[[5, 2, 7]])
    parts = images_of(datasets.DatasetDict(train=whole.select(range(8)), test=whole.select(range(8, 12))), spec())
    assert (len(parts), len(parts.test_pixels)) == (8, 4)
    with pytest.raises(DataError, match=r"has no split train .its splits are dev"):
        images_of(datasets.DatasetDict(dev=whole), spec())
    with pytest.raises(DataError, match="load it without `streaming=True`"):
        images_of(whole.to_iterable_dataset(), spec())


def test_arrays_of_hugging_face(datasets) -> None:
    features = datasets.Features(x=datasets.Array2D((8, 8), "uint8"))
    images = images_of(datasets.Dataset.from_dict({"x": IMAGES}, features=features), spec())
    np.testing.assert_array_equal(values(images), IMAGES)


class Halves(Store):
    """Images whose right half is made from the left one."""

    labels = [f"class {label}" for label in LABELS]  # noqa: RUF012
    identity = "version 1"

    def __len__(self) -> int:
        return len(IMAGES)

    def read(self, index: np.ndarray) -> np.ndarray:
        return IMAGES[index]

    def name(self, number: int) -> str:
        return f"half {number}"


def test_a_store_of_the_user() -> None:
    images = images_of(Halves(), spec())
    np.testing.assert_array_equal(values(images), IMAGES)
    assert images.labels.tolist() == LABELS.tolist() and images.class_names[1] == "class 1"
    assert images.name_of("train", 3) == "half 3"
    assert caedsl.Store is Store


def test_a_large_store_is_identified_by_its_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_stack, "LARGE_BYTES", 100)
    monkeypatch.setattr(first_reading, "_LOOKED_AT", 8)
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    read: list[int] = []

    class Other(Halves):
        identity = "version 2"

        def read(self, index: np.ndarray) -> np.ndarray:
            read.extend(index.tolist())
            return super().read(index)

    first, second = images_of(Halves(), spec()), images_of(Other(), spec())
    assert first.sha256 != second.sha256
    assert len(read) == 1 + 8
    assert isinstance(second.train_pixels, Streamed)
    np.testing.assert_array_equal(values(second), IMAGES)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda index: IMAGES[index].astype(np.float32 if len(index) > 1 else np.uint8), "`read` returned 12 x 8 x 8 values of type float32"),
        (lambda index: None, r"the store Faulty: `read` returned an array of shape \(\) for one number"),
        (lambda index: IMAGES[0], r"the store Faulty: `read` returned an array of shape \(8, 8\) for one number"),
        (lambda index: IMAGES[:1], "`read` returned 1 x 8 x 8 .* 12 x 8 x 8 of type uint8"),
        (lambda index: Path("nowhere").read_bytes(), "the store Faulty cannot be read: no such file"),
        (lambda index: np.zeros((len(index), 5)), "the store Faulty is 12 x 5: images are N x H x W"),
    ],
)  # fmt: skip
def test_a_faulty_store_is_named(read, message: str) -> None:
    class Faulty(Store):
        def __len__(self) -> int:
            return 12

        def read(self, index: Sequence[int]) -> np.ndarray:
            return read(index)

    with pytest.raises(DataError, match=message):
        images_of(Faulty(), spec())


def test_targets_from_another_store() -> None:
    images = images_of(Halves(), spec(), IMAGES[::-1].copy())
    assert torch.equal(images.train_targets.everything(), images.train.flip(0))
    with pytest.raises(DataError, match="12 samples, but its targets an array of targets in memory are 3"):
        images_of(Halves(), spec(), IMAGES[:3])


REPEATED: dict[str, list[object]] = {
    "images": [bytes(1_000_000)] * 200,
    "structs": [{"bytes": bytes(1_000_000), "path": "x"}] * 200,
    "one image": [bytes(100_000_000)],
    "paths": ["x" * 1_000_000] * 200,
    "lists": [["x" * 1_000_000] * 10] * 20,
}


@pytest.mark.parametrize("kind", REPEATED)
def test_a_small_file_cannot_stand_for_many_texts_or_images(kind: str, read, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": REPEATED[kind]}), tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 20_000
    before = reset_peak_memory()
    with pytest.raises(DataError, match=r"x.parquet stands for .* bytes of texts and images or more"):
        read("parquet", path="x.parquet", key="image")
    assert peak_memory() - before < 50_000_000


def test_a_long_label_takes_its_length_once(read, tmp_path: Path) -> None:
    """An array of words would take its length for every row."""
    labels = ["x" * 20_000, *["a", "b"] * 2_000]
    table = pa.table({"image": [COLUMNS["bytes"][0]] * len(labels), "label": labels})
    pq.write_table(table, tmp_path / "x.parquet")
    before = reset_peak_memory()
    images = read("parquet", path="x.parquet", labels="label")
    assert len(images.class_names) == 3
    assert peak_memory() - before < 100_000_000


def test_nested_metadata_of_parquet_name_no_classes(read, tmp_path: Path) -> None:
    table = pa.table({"x": pa.array([[[0.5] * 8] * 8] * 6), "label": [0, 1] * 3})
    pq.write_table(table.replace_schema_metadata({"huggingface": "[" * 100_000}), tmp_path / "x.parquet")
    assert read("parquet", path="x.parquet", labels="label").class_names == ()
