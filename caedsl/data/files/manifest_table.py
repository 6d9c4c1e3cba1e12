"""The rows of a table of files: CSV or Parquet, whose values are text."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from caedsl.data.errors import DataError, reason
from caedsl.data.files.regular_file import read_regular
from caedsl.machine.memory import available_memory

if TYPE_CHECKING:
    from _csv import Reader

    from caedsl.data.files.parquet_rows import ParquetRows

_ROWS = 64
"""Decode this many rows of a Parquet file at a time."""
_ROW_BYTES = 256
"""Assume that a row takes at least this much memory."""
_FILE = "save it as a CSV with commas, or as Parquet"


class TableRow(NamedTuple):
    """Values of a row by wanted column, missing ones empty; ``place`` is its line, or its row in a Parquet file."""

    place: str
    values: Mapping[str, str]


class Table(NamedTuple):
    """All columns of a table, and its rows, which are read on demand."""

    columns: Sequence[str]
    rows: Iterator[TableRow]


def read_table(path: Path, wanted: Collection[str] = ()) -> Table:
    """Return the table in a file, Parquet if its name ends so, otherwise CSV; raise a ``DataError`` if invalid.

    Rows have only the ``wanted`` columns of those in the file, since it may have a million others.
    """
    content = read_regular(path)
    read = _parquet if path.suffix.lower() == ".parquet" else _csv
    return read(content, path, wanted)


def _csv(content: bytes, path: Path, wanted: Collection[str]) -> Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({reason(error)}): save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
    except csv.Error as error:
        raise _no_csv(path, reader.line_num, error) from error
    places = {name: place for place, name in enumerate(columns) if name in wanted}
    return Table(columns, _csv_rows(reader, path, len(columns), places))


def _csv_rows(reader: "Reader", path: Path, width: int, places: Mapping[str, int]) -> Iterator[TableRow]:
    try:
        for row in filter(None, reader):
            line = f"line {reader.line_num}"
            if len(row) > width:
                raise DataError(f"{path}, {line}: there are more values than columns: put names with commas in quotes")
            yield TableRow(line, {name: row[at].strip() if at < len(row) else "" for name, at in places.items()})
    except csv.Error as error:
        raise _no_csv(path, reader.line_num, error) from error


def _no_csv(path: Path, line: int, error: csv.Error) -> DataError:
    return DataError(f"{path}, line {line}: {error}: save it as a CSV with commas")


def _parquet(content: bytes, path: Path, wanted: Collection[str]) -> Table:
    import pyarrow

    from caedsl.data.files.parquet_rows import ParquetRows

    try:
        file = ParquetRows(io.BytesIO(content), len(content), str(path))
        columns = list(map(str, file.schema.names))
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        raise DataError(f"{path} is not a Parquet file, or is damaged ({reason(error)}): {_FILE}") from error
    return Table(columns, _parquet_rows(file, path, [name for name in dict.fromkeys(columns) if name in wanted]))


def _parquet_rows(file: "ParquetRows", path: Path, columns: Sequence[str]) -> Iterator[TableRow]:
    import pyarrow

    room, needed, number = available_memory(), file.count * _ROW_BYTES, 0
    try:
        for batch in file.batches(_ROWS, columns):
            needed += batch.nbytes
            if room is not None and needed > room:
                raise DataError(f"{path} has more rows than fit into memory ({room:,} bytes): split it")
            for values in batch.to_pylist():
                number += 1
                yield TableRow(f"row {number}", {str(name): _text(value) for name, value in values.items()})
    except MemoryError:  # also an error of Arrow
        raise
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        raise DataError(f"{path} is damaged ({reason(error)}): {_FILE}") from error


def _text(value: object) -> str:
    if value is None:
        return ""
    return (value.decode(errors="replace") if isinstance(value, bytes) else str(value)).strip()
