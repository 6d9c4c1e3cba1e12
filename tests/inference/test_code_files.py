"""Damaged or hostile files of codes give one line that names the file and the fault."""

import io
import os
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from caedsl.data.errors import DataError
from caedsl.inference import code_files, tables
from caedsl.inference.code_files import read_codes
from caedsl.inference.tables import CODE_FORMATS, write_codes
from tests.inference.test_commands import Run

CODES = np.arange(12, dtype=np.float32).reshape(2, 6)
ROW = ",".join(["0"] * 6)
HEADER = "name," + ",".join(f"z{unit}" for unit in range(6))


def codes_bytes(path: Path, names: Sequence[str], labels: Sequence[str] | None, codes: NDArray[np.float32]) -> bytes:
    """Return the content of a file of codes that come three at a time."""
    content = io.BytesIO()
    blocks = (codes[start : start + 3] for start in range(0, len(codes), 3))
    write_codes(content, path.suffix, names, labels, blocks)
    return content.getvalue()


def pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def zip_of(**members: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(f"{name}.npy", content)

    return write


def npz(**arrays: object) -> Callable[[Path], None]:
    return lambda path: np.savez(path, **{name: np.asarray(array) for name, array in arrays.items()})


def table(**columns: object) -> Callable[[Path], None]:
    return lambda path: parquet.write_table(pyarrow.table(columns), path)


def holding(content: bytes | str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode()) and None


HOSTILE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no zip": (".npz", holding(b"PK\3\4 and then nothing"), "damaged"),
    "cut zip": (".npz", holding(codes_bytes(Path("a.npz"), ["a", "b"], None, CODES)[:200]), "damaged"),
    "npz without codes": (".npz", npz(names=["a"]), "no array `codes`"),
    "npz of text": (".npz", npz(codes=["a", "b"]), "contains no codes"),
    "npz of one number": (".npz", npz(codes=1.0), "one number, not several samples"),
    "too few names": (".npz", npz(names=["a"], codes=CODES), "1 name and 2 codes"),
    "pickle in an npz": (".npz", zip_of(codes=b"\x93NUMPY\1\0v\0{'descr': '|O', "), "damaged"),
    "pickle": (".npy", pickled, "could run code when read"),
    "not finite": (".npy", lambda path: np.save(path, np.full((2, 6), np.nan)), "not finite"),
    "too large": (".npy", lambda path: np.save(path, np.full((2, 6), 1e300)), "not finite"),
    "booleans": (".npy", lambda path: np.save(path, np.full((2, 6), 9, np.uint8).view(np.bool_)), "value 9, but bool"),
    "complex": (".npy", lambda path: np.save(path, CODES * 1j), "contains no codes"),
    "no codes": (".npy", lambda path: np.save(path, CODES[:0]), "contains no codes"),
    "npy cut": (".npy", holding(b"\x93NUMPY"), "damaged"),
    "ragged": (".csv", holding(f"{HEADER}\na,{ROW}\nb,1\n"), "line 3: it has 2 values for 7 columns"),
    "words": (".csv", holding(f"{HEADER}\na,{ROW[:-1]}x\n"), "line 2.*codes are numbers"),
    "empty": (".csv", holding(""), "not have the columns z0, z1"),
    "a gap": (".csv", holding("z0,z2\n1,2\n"), "not have the columns z0, z1"),
    "twice": (".csv", holding("z0,z0\n1,2\n"), "not have the columns z0, z1"),
    "strange digits": (".csv", holding("z²\n1\n"), "not have the columns z0, z1"),
    "endless digits": (".csv", holding(f"z{'1' * 9999}\n1\n"), "not have the columns z0, z1"),
    "no text": (".csv", holding(b"\xff\xfe\0"), "not a CSV file"),
    "NUL": (".csv", holding("z0\n\0\n"), "codes are numbers|not a CSV file"),
    "quotes": (".csv", holding('z0\n"1\n'), "not a CSV file"),
    "no Parquet": (".parquet", holding(b"PAR1 and then nothing PAR1"), "not a Parquet file"),
    "no columns": (".parquet", table(name=["a"]), "not have the columns z0, z1"),
    "text": (".parquet", table(z0=["a"]), "not a Parquet file of codes"),
    "lists": (".parquet", table(z0=[[1.0], [2.0, 3.0]]), "not a Parquet file of codes"),
    "nothing in it": (".parquet", table(z0=pyarrow.array([None, 1.0])), "not finite"),
    "other ending": (".pkl", holding(b"x"), "not a file of codes"),
}


@pytest.mark.parametrize("ending", CODE_FORMATS)
def test_names_with_line_ends_come_back(ending: str, tmp_path: Path) -> None:
    names = ["a\rb", 'c\r\n"d,', "\n"]
    path = tmp_path / f"codes{ending}"
    path.write_bytes(codes_bytes(path, names, None, np.zeros((3, 6), np.float32)))
    assert read_codes(path)[0] == names


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_reported_in_a_line(case: str, grey: Path, tmp_path: Path, caedsl: Run) -> None:
    ending, write, said = HOSTILE[case]
    path = tmp_path / f"codes{ending}"
    write(path)
    with pytest.raises(DataError, match=said):
        read_codes(path)
    code, out, err = caedsl("decode", grey, path, "-o", tmp_path / "out")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert str(path) in err
    assert "pickle" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ending", [*CODE_FORMATS, ".npy"])
def test_files_cut_anywhere_are_reported(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"codes{ending}"
    if ending == ".npy":
        np.save(path, CODES)
    else:
        path.write_bytes(codes_bytes(path, ["a", "b"], None, CODES))
    whole = path.read_bytes()
    assert np.array_equal(read_codes(path)[1], CODES)
    for length in range(0, len(whole) - 40, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="codes"):
            read_codes(path)
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            names, codes = read_codes(path)
        except DataError:
            continue
        assert len(names) == len(codes)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
@pytest.mark.parametrize("ending", [*CODE_FORMATS, ".npy"])
def test_pipes_and_devices_do_not_block(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"codes{ending}"
    os.mkfifo(path)
    with pytest.raises(DataError, match="named pipe"):
        read_codes(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match="device"):
        read_codes(path)


@pytest.mark.parametrize("ending", [*CODE_FORMATS, ".npy"])
def test_small_files_of_many_values_are_refused(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"codes{ending}"
    codes = np.zeros((20_000, 8), np.float32)
    if ending == ".npy":
        np.save(path, codes)
    else:
        path.write_bytes(codes_bytes(path, ["a" * 100] * len(codes), None, codes))
    assert len(read_codes(path)[1]) == 20_000
    if ending != ".csv":  # a text is as large as what it holds
        for module in (code_files, sys.modules["caedsl.data.readers.arrays"]):
            monkeypatch.setattr(module, "available_memory", lambda: 100_000)
        with pytest.raises(DataError, match="memory"):
            read_codes(path)


def test_parts_of_a_parquet_file_of_codes_come_in_order(tmp_path: Path) -> None:
    path, codes = tmp_path / "codes.parquet", np.arange(2000, dtype=np.float32).reshape(200, 10)
    path.write_bytes(codes_bytes(path, [f"n{place}" for place in range(200)], ["x"] * 200, codes))
    names, back = read_codes(path)
    assert names == [f"n{place}" for place in range(200)]
    assert np.array_equal(back, codes)


@pytest.mark.parametrize("ending", CODE_FORMATS)
def test_codes_are_written_as_they_come(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_GROUP", 1 << 16)

    def blocks(count: int) -> Iterator[NDArray[np.float32]]:
        for number in range(count):
            yield np.full((64, 64), number, np.float32)

    def peak(count: int) -> int:
        names = ["a"] * (64 * count)
        with (tmp_path / f"codes{ending}").open("wb") as file:
            tracemalloc.start()
            try:
                write_codes(file, ending, names, names, blocks(count))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    few, many = peak(100), peak(300)  # 1.6 and 4.9 MB of codes
    assert many < few + 1_000_000, (few, many)
    names, codes = read_codes(tmp_path / f"codes{ending}")
    assert len(names) == len(codes) == 64 * 300
    assert codes[:, 0].tolist() == [number for number in range(300) for _ in range(64)]


def test_codes_that_cannot_be_read_to_the_end_leave_no_file(caedsl: Run, grey: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for number in range(5):
        Image.fromarray(np.full((8, 8), 50 * number, np.uint8)).save(images / f"{number}.png")
    (images / "4.png").write_bytes(b"no picture")
    code, _, err = caedsl("encode", grey, images, "-o", images / "codes.csv")
    assert code == 2 and "4.png" in err
    assert sorted(path.name for path in images.iterdir()) == [f"{number}.png" for number in range(5)]
