"""Tables of image files: paths, labels, parts, and what is refused."""

import os
from pathlib import Path

import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from caedsl.data.errors import DataError
from caedsl.data.files.manifest_table import read_table
from caedsl.data.loading import load
from caedsl.data.readers import manifest
from caedsl.model.data import DataSource

from .conftest import spec


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "tables" / "files").mkdir(parents=True)
    for number in range(6):
        Image.new("L", (8, 8), 40 * number + 5).save(tmp_path / "tables" / "files" / f"{number}.png")
    return tmp_path / "tables"


def greys(pixels) -> list[int]:
    return (pixels.everything()[:, 0, 0, 0] * 255).round().int().tolist()


def table(images: Path, text: str) -> str:
    (images / "x.csv").write_bytes(text.encode())
    return "tables/x.csv"


def test_paths_start_from_the_folder_of_the_table(images: Path, read) -> None:
    loaded = read("manifest", path=table(images, f"path\nfiles/3.png\nfiles/1.png\n{images}/files/2.png\n"))
    assert greys(loaded.train_pixels) == [125, 45, 85]
    assert loaded.labels is None and loaded.test_pixels is None and loaded.validation_pixels is None
    assert loaded.notes == ()
    assert loaded.name == 'manifest "tables/x.csv"'


def test_labels_and_parts_are_those_of_the_table(images: Path, read) -> None:
    text = (
        "\ufeffsplit,label,path\r\nTrain,good,files/0.png\r\n,good,files/1.png\r\nVALID,bad,files/2.png\r\n"
        'testing,"very, bad",files/3.png\r\ntest,good,files/4.png\r\n'
    )
    loaded = read("manifest", path=table(images, text))
    assert [greys(part) for part in (loaded.train_pixels, loaded.validation_pixels, loaded.test_pixels)] == [
        [5, 45],
        [85],
        [125, 165],
    ]
    assert loaded.class_names == ("bad", "good", "very, bad")
    assert loaded.labels.tolist() == [1, 1]
    assert loaded.test_labels.tolist() == [2, 1]
    assert greys(read("manifest", path="tables/x.csv", only="good").test_pixels) == [165]


def test_what_is_not_read_is_reported(images: Path, read) -> None:
    text = "path,label,mood\nfiles/0.png,,3\nfiles/1.png,good,4\n"
    assert read("manifest", path=table(images, text)).notes == (
        "columns of x.csv that are ignored: mood",
        "no labels for x.csv: 1 of 2 rows have none, the first is line 2",
    )
    with pytest.raises(DataError, match=r"needs labels, .*: fill in the column `label`"):
        read("manifest", path="tables/x.csv", only="good")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv has no column `path` .its columns are none.: correct its first line"),
        ("file,label\na.png,b\n", "x.csv has no column `path` .its columns are file, label."),
        ("path\n", "x.csv has no training images"),
        ("path,split\nfiles/0.png,test\n", "x.csv has no training images"),
        ("path,split\nfiles/0.png,dev\n", 'x.csv, line 2: the split "dev" is unknown: write train'),
        ("path,label\nfiles/0.png,a,b\n", "x.csv, line 2: there are more values than columns"),
        ("path,label\n,a\n", "x.csv, line 2: the column `path` is empty"),
        ("path,mask\na\0.png,\n", "x.csv, line 2: the column `path` is .* with a NUL character, .*: correct the path"),
        ("path,mask\na.png,b\0.png\n", "x.csv, line 2: the column `mask` is .* with a NUL character"),
        ("path\nfiles/0.png\nfiles/0.png\n", "x.csv, line 3: .*0.png is already in line 2"),
        ('path\n"files/0.png', "x.csv, line 2: unexpected end of data: save it as a CSV"),
        ("path\n" + "x" * 200_000 + "\n", "x.csv, line 2: field larger than field limit"),
        ("path\nfiles/9.png\n", "files/9.png cannot be read: no such file or directory"),
        ("path\nfiles\n", "files cannot be read: it is a folder"),
        ("path\nx.csv\n", "x.csv cannot be decoded"),
    ],
)
def test_tables_that_cannot_be_used_are_explained(text: str, message: str, images: Path, read) -> None:
    with pytest.raises(DataError, match=message):
        read("manifest", path=table(images, text))


def test_bytes_that_are_no_text_are_explained(images: Path, read) -> None:
    (images / "x.csv").write_bytes(b"path\n\xff.png\n")
    with pytest.raises(DataError, match=r"x.csv is not UTF-8"):
        read("manifest", path="tables/x.csv")


@pytest.mark.skipif(os.name == "nt", reason="there are no such files there")
def test_a_table_is_a_regular_file(images: Path, read) -> None:
    os.mkfifo(images / "x.csv")
    with pytest.raises(DataError, match=r"x.csv cannot be read: it is a named pipe"):
        read("manifest", path="tables/x.csv")


def test_broken_images_may_be_left_out(images: Path, read) -> None:
    (images / "files" / "1.png").write_text("broken")
    path = table(images, "path\nfiles/0.png\nfiles/1.png\nfiles/9.png\nfiles/2.png\n")
    loaded = read("manifest", path=path, skip="broken")
    assert greys(loaded.train_pixels) == [5, 85]
    assert len(loaded.skipped) == 2


def test_a_table_leads_not_out_of_the_folder_for_data(images: Path) -> None:
    model = spec(DataSource("manifest", path="x.csv"), folder=images)
    table(images, "path\nfiles/0.png\n")
    assert len(load(model, root=images)) == 1
    table(images, "path\n../../x.png\n")
    with pytest.raises(DataError, match=r"leads to .*x.png, outside"):
        load(model, root=images)


def test_a_parquet_file_says_what_a_csv_does(images: Path, read) -> None:
    columns = {
        "path": ["files/0.png", "files/1.png", "files/2.png"],
        "label": [0, 1, 0],
        "split": [None, "val", "test"],
    }
    parquet.write_table(pyarrow.table(columns), images / "x.parquet")
    loaded = read("manifest", path="tables/x.parquet")
    assert [greys(part) for part in (loaded.train_pixels, loaded.validation_pixels, loaded.test_pixels)] == [
        [5],
        [45],
        [85],
    ]
    assert loaded.class_names == ("0", "1")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"path,label"])
def test_a_damaged_parquet_file_is_named(images: Path, read, content: bytes) -> None:
    (images / "x.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"x.parquet is not a Parquet file"):
        read("manifest", path="tables/x.parquet")


def test_one_value_of_a_parquet_file_cannot_stand_for_more_rows_than_memory_holds(
    images: Path, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet.write_table(pyarrow.table({"path": ["files/0.png"] * 5000}), images / "x.parquet")
    monkeypatch.setattr("caedsl.data.files.manifest_table.available_memory", lambda: 1_000_000)
    with pytest.raises(DataError, match=r"x.parquet has more rows than fit into memory"):
        read("manifest", path="tables/x.parquet")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_have_only_the_columns_that_are_read(ending: str, images: Path) -> None:
    """A row takes as much memory as the file says, however many columns its first line names."""
    path = images / f"x.{ending}"
    if ending == "csv":
        path.write_text("path," + ",".join(f"c{number}" for number in range(1000)) + "\n\nfiles/0.png\nfiles/1.png,3\n")
    else:
        others = {f"c{number}": [0, 0] for number in range(1000)}
        parquet.write_table(pyarrow.table({"path": ["files/0.png", "files/1.png"], **others}), path)
    read = read_table(path, {"path", "label"})
    assert len(read.columns) == 1001
    assert [dict(row.values) for row in read.rows] == [{"path": "files/0.png"}, {"path": "files/1.png"}]


def test_an_image_that_is_there_twice_ends_the_reading(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small Parquet file may repeat a path many million times."""
    parquet.write_table(pyarrow.table({"path": ["files/0.png"] * 10_000}), images / "x.parquet")
    seen: list[str] = []
    plain = manifest.stated_path
    monkeypatch.setattr(manifest, "stated_path", lambda path, where: seen.append(path) or plain(path, where))
    with pytest.raises(DataError, match=r"row 2: .* is already in row 1"):
        load(spec(DataSource("manifest", path="tables/x.parquet"), folder=images.parent), images.parent)
    assert len(seen) == 2
