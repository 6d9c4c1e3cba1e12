"""Samples in a column of an Arrow table: encoded images, paths of image files, or arrays."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from caedsl.data.errors import DataError
from caedsl.data.labels import StoredLabels, as_labels, word_labels
from caedsl.data.readers.source_reader import confined, stated_path
from caedsl.data.sample_format import SampleFormat
from caedsl.data.sample_weights import as_weights
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.picture_stack import MANY_FILES, PictureStack, check_input
from caedsl.data.stacks.stack import LARGE_BYTES, Array, Index, Labels, Stack, Weights
from caedsl.data.store import Store, StoreStack
from caedsl.diagnostics.text import counted, printable

if TYPE_CHECKING:
    from caedsl.data.files.picture import Picture

_METADATA = b"huggingface"
"""The entry of a table's metadata that names classes."""


@dataclass(frozen=True)
class ArrowTable:
    """Table in memory, or one whose rows are read on demand.

    ``cells`` returns the cells of a column in the rows with these numbers, ``column`` a whole column. ``identity``
    identifies the table, ``nbytes`` is its size, ``called`` its name in messages.
    """

    schema: Any
    rows: int
    nbytes: int
    identity: str
    called: str
    cells: Callable[[str, Index], Sequence[Any]]
    column: Callable[[str], Any]


@dataclass(frozen=True)
class Columns:
    """Columns of samples and labels that a source names, and how to read them.

    Paths are relative to ``folder``, and nothing outside ``root`` is read. A table need not have the column of
    labels unless ``labels_required``.
    """

    samples: str | None
    labels: str | None
    weights: str | None
    white: int | None
    layout: str | None
    folder: Path
    root: Path | None
    labels_required: bool = True


def table_stack(table: ArrowTable, wanted: Columns, fit: SampleFormat) -> tuple[Stack, tuple[str, ...]]:
    """Return the samples of a table and the names of their classes; raise a ``DataError`` if there are none."""
    if not table.rows:
        raise DataError(f"{table.called} has no rows: add some")
    name = _column(table, wanted.samples)
    labels = _labels(table, wanted)
    weights = _weights(table, wanted.weights)
    kind = _storage(table.schema.field(name).type)
    if _is_text(kind):
        check_input(fit)
        paths = [confined(wanted.folder / path, wanted.root) for path in _paths(table, name)]
        files = FolderStack(paths, wanted.folder, fit, labels.numbers, wanted.white, weights=weights)
        return files, labels.names
    if _is_encoded(kind):
        check_input(fit)
        return RecordStack(table, name, fit, labels.numbers, wanted.white, weights), labels.names
    called = f"{table.called}, column `{name}`"
    arrays = _ArrayColumn(table, name, weights)
    return StoreStack(arrays, fit, called, labels, wanted.layout, wanted.white), labels.names


class RecordStack(PictureStack):
    """Encoded images in a column of a table."""

    def __init__(
        self,
        table: ArrowTable,
        column: str,
        fit: SampleFormat,
        labels: Labels | None,
        white: int | None,
        weights: Weights | None,
    ) -> None:
        super().__init__(table.rows)
        self.fit, self.labels, self.white, self.weights = fit, labels, white, weights
        self._table, self._column = table, column

    @property
    def place(self) -> str:
        """See ``PictureStack.place``."""
        return self._table.called

    def called(self, number: int) -> str:
        """See ``PictureStack.called``."""
        return f"{self._table.called}, row {number} (counted from 0)"

    def is_large(self, index: Index) -> bool:
        """See ``Stack.is_large``."""
        return len(index) > MANY_FILES or self._table.nbytes * len(index) / self._table.rows > LARGE_BYTES

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        return f"{self._table.identity} {self._column} ".encode("utf-8", "surrogatepass") + index.tobytes()

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``: the numbers of their rows."""
        return [str(number) for number in index.tolist()]

    def decoders(self, index: Index) -> "Iterator[Callable[[], Picture]]":
        """See ``PictureStack.decoders``."""
        cells = self._table.cells(self._column, index)
        return (partial(self._decode, cell, number) for cell, number in zip(cells, index.tolist(), strict=True))

    def _decode(self, cell: Any, number: int) -> "Picture":
        from caedsl.data.files.picture import picture_of

        content = cell.as_py()
        if isinstance(content, dict):
            content = content["bytes"]
        if content is None:
            raise DataError(f"{self.called(number)} has no image: add one, or remove the row")
        return picture_of(content, self.called(number), self.fit, self.white)


class _ArrayColumn(Store):
    """Arrays in a column of a table, as lists of lists."""

    def __init__(self, table: ArrowTable, column: str, weights: Weights | None) -> None:
        self._table, self._column = table, column
        self.weights = None if weights is None else weights.tolist()
        self.identity = f"{table.identity} {column}"

    def __len__(self) -> int:
        return self._table.rows

    def read(self, index: Index) -> Array:
        """See ``Store.read``."""
        cells = self._table.cells(self._column, index)
        rows = [self._row(cell, number) for cell, number in zip(cells, index.tolist(), strict=True)]
        if len({row.shape for row in rows}) > 1:
            raise DataError(
                f"{self._table.called}: the arrays of column `{self._column}` differ in shape: give all the same shape"
            )
        return np.stack(rows)

    def _row(self, cell: Any, number: int) -> Array:
        cell = getattr(cell, "value", cell)  # of an extension type
        values, shape = cell.values, []
        try:
            while True:
                shape.append(len(values))
                if not _is_list(values.type):
                    flat: Array = values.to_numpy(zero_copy_only=False)
                    if flat.dtype.kind not in "biuf":
                        raise ValueError
                    return flat.reshape([shape[0], *(b // a for a, b in pairwise(shape))])
                if len(pc.list_value_length(values).unique()) != 1:
                    raise ValueError
                values = values.flatten()
        except (ValueError, TypeError, AttributeError, ZeroDivisionError):  # not lists, or lists of unequal lengths
            raise DataError(
                f"{self._table.called}, row {number} (counted from 0): `{self._column}` is not an array of numbers"
            ) from None


def _column(table: ArrowTable, wanted: str | None) -> str:
    """Return the column of samples: the named one, or the only one that can contain samples."""
    there = ", ".join(map(printable, table.schema.names[:20])) or "none"
    if wanted is not None:
        if wanted not in table.schema.names:
            raise DataError(f"{table.called} has no column `{wanted}`: its columns are {there}")
        kind = _storage(table.schema.field(wanted).type)
        if not (_is_text(kind) or _is_encoded(kind) or _is_list(kind)):
            raise DataError(
                f"{table.called}: column `{wanted}` has the type {kind}, but samples are images, paths or lists"
            )
        return wanted
    kinds: dict[str, Any] = {field.name: _storage(field.type) for field in table.schema}
    found: list[str] = [name for name, kind in kinds.items() if _is_encoded(kind) or _is_list(kind)]
    if len(found) != 1:
        raise DataError(
            f"{table.called} has {counted(len(found), 'column')} that may contain samples: choose one with `key=` in "
            f"the data line ({there})"
        )
    return found[0]


def _labels(table: ArrowTable, wanted: Columns) -> StoredLabels:
    """Return the labels in the ``wanted`` column, by default the only one with names of classes."""
    named = _class_names(table.schema)
    column = wanted.labels if wanted.labels is not None else next(iter(named)) if len(named) == 1 else None
    if column is None or (column not in table.schema.names and not wanted.labels_required):
        return StoredLabels()
    if column not in table.schema.names:
        raise DataError(
            f"{table.called} has no column `{column}` of labels: its columns are "
            f"{', '.join(map(printable, table.schema.names[:20]))}"
        )
    cells = table.column(column)
    if cells.null_count:
        raise DataError(
            f"{table.called}: {counted(cells.null_count, 'row')} without a label in `{column}`: add the labels"
        )
    called = f"{table.called}, column `{column}`"
    # An array of words would take the length of the longest for each.
    labels = word_labels(cells.to_pylist(), called) if _is_text(cells.type) else as_labels(cells.to_numpy(), called)
    names = named.get(column, labels.names)
    if names and labels.numbers is not None and not 0 <= labels.numbers.min() <= labels.numbers.max() < len(names):
        return StoredLabels()  # test parts with secret labels have -1 for each sample
    return StoredLabels(labels.numbers, tuple(names))


def _weights(table: ArrowTable, column: str | None) -> Weights | None:
    if column is None:
        return None
    if column not in table.schema.names:
        raise DataError(
            f"{table.called} has no column `{column}` of weights: its columns are "
            f"{', '.join(map(printable, table.schema.names[:20]))}"
        )
    values = table.column(column).to_numpy()
    return as_weights(values, table.rows, f"{table.called}, column `{column}`")


def _class_names(schema: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by column, if the metadata of a Hugging Face dataset has them."""
    try:
        features = json.loads((schema.metadata or {}).get(_METADATA, b"{}"))["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _paths(table: ArrowTable, column: str) -> list[str]:
    paths: list[str] = table.column(column).to_pylist()
    for number, path in enumerate(paths):
        stated_path(path, f"{table.called}, row {number} (counted from 0): the column `{column}`")
    return paths


def _storage(kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_encoded(kind: Any) -> bool:
    """Return whether cells contain the bytes of image files, or a struct with them."""
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _is_encoded(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
