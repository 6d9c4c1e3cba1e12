"""Rows of a Parquet file, in batches that take little memory.

A file stores a value that occurs in many rows once, and compresses it: a kilobyte may stand for gigabytes of texts or
images. Their sizes are therefore added up before they are decoded.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caedsl.data.errors import DataError
from caedsl.machine.memory import available_memory

_ROWS = 1024
_BATCH_BYTES = 1 << 24
_FREE_BYTES, _MOST_RATIO = 1 << 26, 100
"""Decode more bytes of texts and images only up to this many times the size of the file."""
_FREE_ROWS, _ROWS_PER_BYTE = 1 << 20, 10
"""Read more rows only if the file has a byte for this many: a row is a sample, and few are equal."""
_FREE_VALUES, _VALUES_PER_BYTE = 1 << 26, 1000
"""Read more values, in arrays or missing, only if the file has a byte for this many."""
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}


class ParquetRows:
    """Rows of the Parquet file in ``opened``, a binary file of ``stored`` bytes that messages call ``called``.

    Raise a ``DataError`` if a small file stands for very many rows.
    """

    def __init__(self, opened: Any, stored: int, called: str) -> None:
        self._file = pq.ParquetFile(opened)
        self._opened, self._stored, self._called = opened, stored, called
        self.schema: Any = self._file.schema_arrow
        self.count: int = self._file.metadata.num_rows
        self._limit(self.count, "rows", _FREE_ROWS, _ROWS_PER_BYTE)

    def batches(self, rows: int = _ROWS, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield batches of at most ``rows`` rows of all or some columns.

        Raise a ``DataError`` before anything is decoded that takes too much memory.
        """
        fitting = max(1, min(rows, _BATCH_BYTES // max(1, self._largest())))
        yield from self._file.iter_batches(fitting, columns=columns)

    def _largest(self) -> int:
        """Return the size of the largest text or image that is stored once for several rows."""
        texts, repeated, widest = 0, set(), 0
        values = numbers = 0
        memory, described = available_memory(), self._file.metadata
        for group in range(described.num_row_groups):
            chunks = [described.row_group(group).column(number) for number in range(described.num_columns)]
            numbers = max(numbers, sum(chunk.num_values * _WIDTHS.get(chunk.physical_type, 0) for chunk in chunks))
            for number, chunk in enumerate(chunks):
                values += chunk.num_values
                if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
                    widest = max(widest, described.schema.column(number).length)
                    texts += chunk.num_values * described.schema.column(number).length
                elif chunk.physical_type == "BYTE_ARRAY":
                    texts += chunk.total_uncompressed_size
                    repeated |= {chunk.path_in_schema} if chunk.has_dictionary_page else set()
        if memory is not None and numbers > memory:
            raise DataError(f"{self._called} does not fit into memory ({memory:,} bytes): split it")
        self._limit(values, "values", _FREE_VALUES, _VALUES_PER_BYTE)
        self._limit_texts(texts)
        if not repeated or texts * self.count <= _BATCH_BYTES:
            return widest
        coded = pq.ParquetFile(self._opened, read_dictionary=list(repeated))
        for batch in coded.iter_batches(_ROWS, columns=list(repeated)):
            for column in batch.columns:
                for part in _coded(column):
                    lengths = pc.binary_length(part.dictionary)
                    texts += pc.sum(lengths.take(part.indices)).as_py() or 0
                    widest = max(widest, pc.max(lengths).as_py() or 0)
            self._limit_texts(texts)
        return widest

    def _limit(self, count: int, things: str, free: int, per_byte: int) -> None:
        if count > max(free, per_byte * self._stored):
            raise DataError(
                f"{self._called} has {count:,} {things} in {self._stored:,} bytes; a file with more than {per_byte:,} "
                f"{things} per byte is read up to {free:,} {things}: remove empty and repeated ones, or split it"
            )

    def _limit_texts(self, size: int) -> None:
        if size > max(_FREE_BYTES, _MOST_RATIO * self._stored):
            raise DataError(
                f"{self._called} stands for {size:,} bytes of texts and images or more; files that are a hundred times "
                "smaller than their content are not decoded: save it without repetitions, or split it"
            )


def _coded(column: Any) -> Iterator[Any]:
    """Yield the arrays of codes in a column, which may be inside structs and lists."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield column
    elif pa.types.is_struct(kind):
        for part in column.flatten():
            yield from _coded(part)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _coded(column.flatten())
