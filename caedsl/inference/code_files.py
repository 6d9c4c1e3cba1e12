"""Read codes from files that may come from untrusted sources; errors say why a file is not usable."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError, reason
from caedsl.data.files.regular_file import read_regular
from caedsl.data.readers.arrays import read_array, read_arrays
from caedsl.diagnostics.text import counted
from caedsl.machine.memory import available_memory

Codes = NDArray[np.float32]
_ROWS = 64
"""Number of rows of a Parquet file decoded at a time: one value of a small file may stand for many rows."""


def read_codes(path: Path) -> tuple[list[str], Codes]:
    """Return the names and the codes of a file written by ``write_codes``, or of an ``npy`` file with codes only.

    Raise a ``DataError`` that names the file and the fault.
    """
    readers = {".npy": _from_npy, ".npz": _from_npz, ".csv": _from_csv, ".parquet": _from_parquet}
    ending = path.suffix.lower()
    if ending not in readers:
        raise DataError(f"{path} is not a file of codes: use .npz, .npy, .parquet or .csv")
    try:
        with np.errstate(over="ignore"):  # overflow gives infinity, which is reported below
            return _checked(*readers[ending](path), str(path))
    except (OSError, MemoryError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}; `caedsl encode` writes files of codes") from error


def parse_codes(content: bytes, called: str) -> tuple[list[str], Codes]:
    """Return the names and the codes in a CSV table, which messages call ``called``; see ``read_codes``."""
    with np.errstate(over="ignore"):
        return _checked(*_from_table(content, called), called)


def _checked(names: list[str], codes: NDArray[Any], called: str) -> tuple[list[str], Codes]:
    """Return names and codes as 32-bit numbers. Raise a ``DataError`` if they are not usable."""
    values = codes.astype(np.float32) if codes.dtype.kind in "fiub" else codes
    if codes.ndim < 2 or not codes.size or codes.dtype.kind not in "fiub":
        held = f"{codes.dtype} of shape {' x '.join(map(str, codes.shape))}"
        raise DataError(f"{called} contains no codes, but {held}: codes are numbers, samples x numbers of a code")
    if len(names) != len(codes):
        raise DataError(
            f"{called} holds {counted(len(names), 'name')} and {counted(len(codes), 'code')}: give each code one name"
        )
    finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if not finite.all():
        first = int(finite.argmin())
        raise DataError(
            f"{called}: the code of {names[first]} contains a number that is not finite in 32 bits: remove it"
        )
    return names, values


def _from_npy(path: Path) -> tuple[list[str], NDArray[Any]]:
    codes = read_array(path)
    return _numbered(codes), codes


def _from_npz(path: Path) -> tuple[list[str], NDArray[Any]]:
    arrays = read_arrays(path, ("names", "codes"))
    if "codes" not in arrays:
        raise DataError(f"{path} has no array `codes`: `caedsl encode` writes one")
    codes = arrays["codes"]
    return list(map(str, arrays["names"].ravel())) if "names" in arrays else _numbered(codes), codes


def _from_csv(path: Path) -> tuple[list[str], NDArray[Any]]:
    return _from_table(read_regular(path), str(path))


def _from_table(content: bytes, called: str) -> tuple[list[str], NDArray[Any]]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, [])
        units = _units(header, called)
        places = [header.index(unit) for unit in units]
        named = header.index("name") if "name" in header else None
        names: list[str] = []
        rows: list[NDArray[np.float32]] = []
        for row in reader:
            if len(row) != len(header):
                raise DataError(
                    f"{called}, line {reader.line_num}: it has {counted(len(row), 'value')} for "
                    f"{counted(len(header), 'column')}"
                )
            names.append(row[named] if named is not None else str(len(names)))
            rows.append(np.array([float(row[place]) for place in places], np.float32))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{called} is not a CSV file of codes: {reason(error)}") from error
    except ValueError as error:
        raise DataError(f"{called}, line {reader.line_num}: {reason(error)}: codes are numbers") from error
    return names, np.array(rows, np.float32).reshape(len(rows), len(units))


def _from_parquet(path: Path) -> tuple[list[str], NDArray[Any]]:
    import pyarrow

    from caedsl.data.files.parquet_rows import ParquetRows

    try:
        content = read_regular(path)
        file = ParquetRows(io.BytesIO(content), len(content), str(path))
        units = _units(file.schema.names, str(path))
        columns = [*(["name"] if "name" in file.schema.names else []), *units]
        names: list[str] = []
        parts: list[NDArray[np.float32]] = []
        room = available_memory()
        needed = file.count * len(units) * np.dtype(np.float32).itemsize
        for batch in file.batches(_ROWS, columns):
            needed += batch.nbytes
            if room is not None and needed > room:
                raise DataError(f"{path} has more values than fit into memory ({counted(room, 'byte')}): split it")
            numbers = [batch.column(unit).to_numpy(zero_copy_only=False) for unit in units]
            parts.append(np.stack(numbers, axis=1).astype(np.float32))
            names += map(str, batch.column("name").to_pylist() if "name" in columns else _numbered(batch, len(names)))
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        raise DataError(f"{path} is not a Parquet file of codes, or is damaged: {reason(error)}") from error
    return names, np.concatenate(parts) if parts else np.empty((0, len(units)), np.float32)


def _units(header: Sequence[str], called: str) -> list[str]:
    """Return the columns z0, z1 and so on. Raise a ``DataError`` if one is missing or occurs twice."""
    found = [name for name in header if name[:1] == "z" and name[1:].isdecimal()]
    wanted = [f"z{unit}" for unit in range(len(found))]
    if not found or sorted(found) != sorted(wanted):
        raise DataError(
            f"{called} does not have the columns z0, z1, … of codes, once each: `caedsl encode` writes such files"
        )
    return wanted


def _numbered(codes: Any, first: int = 0) -> list[str]:
    return [str(first + place) for place in range(len(codes))] if getattr(codes, "ndim", 1) else []
