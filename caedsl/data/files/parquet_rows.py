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
_FREE_BYTES = 1 << 26
_MOST_RATIO = 100
"""Decode texts and images of more than ``_FREE_BYTES`` only up to this many times the size of the file."""
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}


class ParquetRows:
    """Rows of the Parquet file in ``opened``, a binary file of ``stored`` bytes that messages call ``called``."""

    def __init__(self, opened: Any, stored: int, called: str) -> None:
        self._file = pq.ParquetFile(opened)
        self._opened, self._called = opened, called
        self._room = max(_FREE_BYTES, _MOST_RATIO * stored)
        self.schema: Any = self._file.schema_arrow
        self.count: int = self._file.metadata.num_rows

    def batches(self, rows: int = _ROWS, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield batches of at most ``rows`` rows of all or some columns.

        Raise a ``DataError`` before anything is decoded that takes too much memory.
        """
        decoded = 0
        for group in range(self._file.num_row_groups):
            size, largest = self._sizes(group)
            decoded += size
            self._check(decoded)
            fitting = max(1, min(rows, _BATCH_BYTES // max(1, largest)))
            yield from self._file.iter_batches(fitting, row_groups=[group], columns=columns)

    def _sizes(self, group: int) -> tuple[int, int]:
        """Return the decoded size of the texts and images of a row group, and of the largest of them."""
        described = self._file.metadata.row_group(group)
        chunks = [described.column(number) for number in range(described.num_columns)]
        texts = [chunk for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"]
        numbers = sum(chunk.num_values * _WIDTHS.get(chunk.physical_type, 0) for chunk in chunks)
        memory = available_memory()
        if memory is not None and numbers > memory:
            raise DataError(f"{self._called} does not fit into memory ({memory:,} bytes): split it")
        stored = sum(chunk.total_uncompressed_size for chunk in texts)
        self._check(stored)
        repeated = [chunk.path_in_schema for chunk in texts if chunk.has_dictionary_page]
        if not repeated or stored * described.num_rows <= _BATCH_BYTES:
            return stored, 0
        size, largest = stored, 0
        coded = pq.ParquetFile(self._opened, read_dictionary=repeated)
        for batch in coded.iter_batches(_ROWS, row_groups=[group], columns=repeated):
            for column in batch.columns:
                for values in _coded(column):
                    lengths = pc.binary_length(values.dictionary)
                    size += pc.sum(lengths.take(values.indices)).as_py() or 0
                    largest = max(largest, pc.max(lengths).as_py() or 0)
            self._check(size)
        return size, largest

    def _check(self, size: int) -> None:
        if size > self._room:
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
