"""Reading takes memory in proportion to the values of a file; more than there is is refused before it is unpacked."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from caedsl.data.errors import DataError
from caedsl.data.readers import nifti
from caedsl.model.data import InputRange

REAL = InputRange(None, None)


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most bytes that Python and numpy hold at once during the second of two calls."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_table_is_read_line_by_line(tmp_path: Path, read) -> None:
    text = "a,b,mark\n" + "0.125,0.25,1\n" * 20_000
    (tmp_path / "x.csv").write_text(text)
    taken = peak_bytes(lambda: read("csv", path="x.csv", shape=(2, 8), labels="mark", window=8))
    assert taken < 8 * len(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [("a" * (1 << 20), "it has a line of more than"), ("a,b\n1,2\n3,\0\n", "it contains the character NUL")],
    ids=["long line", "NUL"],
)
def test_a_table_that_is_no_text_is_an_error(text: str, told: str, tmp_path: Path, read) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=f"x.csv is not a CSV file: {told}"):
        read("csv", path="x.csv", shape=(2, 6), range=REAL)


def volume(path: Path, values: np.ndarray, slope: float = 1.0) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(slope, 0.0)
    image.to_filename(path)


def test_a_volume_is_scaled_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nifti, "_BLOCK", 4096)
    stored = np.random.default_rng(0).integers(0, 200, (40, 50, 60), np.uint8)
    volume(tmp_path / "x.nii.gz", stored, 0.5)

    content = (tmp_path / "x.nii.gz").read_bytes()
    np.testing.assert_array_equal(nifti._values(content, tmp_path), stored.astype(np.float32) / 2)
    assert peak_bytes(lambda: nifti._values(content, tmp_path)) < 6 * stored.size


def test_a_volume_of_equal_values_is_unpacked_up_to_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read
) -> None:
    volume(tmp_path / "x.nii.gz", np.zeros((64, 64, 64), np.float32))
    assert len(read("nifti", path="x.nii.gz", shape=(1, 2, 2, 2))) == 1
    monkeypatch.setattr(nifti, "_FREE_BYTES", 1 << 19)
    with pytest.raises(
        DataError, match=r"x.nii.gz has 1,\d+,\d+ bytes of values in [\d,]+ bytes; .* save it uncompressed"
    ):
        read("nifti", path="x.nii.gz", shape=(1, 2, 2, 2))
    volume(tmp_path / "x.nii", np.zeros((64, 64, 64), np.float32))
    assert len(read("nifti", path="x.nii", shape=(1, 2, 2, 2))) == 1


def test_a_volume_may_come_in_several_parts_but_not_damaged(tmp_path: Path, read) -> None:
    """Programs that compress in parallel write several streams of gzip, one after the other."""
    volume(tmp_path / "x.nii", np.zeros((8, 8, 8), np.float32))
    content = (tmp_path / "x.nii").read_bytes()
    packed = gzip.compress(content[:900]) + gzip.compress(content[900:])
    path = tmp_path / "x.nii.gz"
    path.write_bytes(packed)
    assert len(read("nifti", path=path.name, shape=(1, 8, 8, 8))) == 1
    for damaged in (packed[:-9], packed[:-5] + bytes(5), gzip.compress(content[:900])):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"x\.nii\.gz is damaged"):
            read("nifti", path=path.name, shape=(1, 8, 8, 8))


def test_a_volume_that_does_not_fit_is_not_unpacked(tmp_path: Path, read) -> None:
    volume(tmp_path / "x.nii", np.zeros((2, 2, 2), np.uint8))
    head = bytearray((tmp_path / "x.nii").read_bytes())
    head[42:48] = np.array([30_000] * 3, "<i2").tobytes()  # the sides
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(bytes(head) + bytes(1 << 24)))
    with pytest.raises(DataError, match=r"x.nii.gz needs [\d,]+ bytes of memory, but [\d,]+ are available"):
        read("nifti", path="x.nii.gz", shape=(1, 2, 2, 2))


def test_memory_that_runs_out_while_data_are_read_is_an_error_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read
) -> None:
    """It is no damage of the file, whatever the library calls it."""

    def none_left(*_: object, **__: object) -> None:
        raise pyarrow.ArrowMemoryError("malloc of size 1 failed")

    monkeypatch.setattr("pyarrow.parquet.ParquetFile", none_left)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r'parquet "x\.parquet" does not fit into memory'):
        read("parquet", path="x.parquet")
