"""Parquet: a file, or a folder of files whose names begin with their part, such as ``train-00000-of-00002.parquet``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from caedsl.data.errors import DataError, UnavailableError, reason
from caedsl.data.files.file_listing import files_in
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION, part_named
from caedsl.data.files.parquet_rows import ParquetRows
from caedsl.data.files.regular_file import open_regular
from caedsl.data.readers.arrow import ArrowTable, Columns, table_stack
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.stack import Index
from caedsl.machine.memory import available_memory

_ENDINGS = frozenset((".parquet",))


def read(request: Request) -> UnreadImages:
    """Find the samples of Parquet files: encoded images, paths relative to the folder of the file, or arrays."""
    source = request.source
    notes: list[str] = []
    path = request.path(source.path)
    files = _by_part(path, request, notes)
    for part, written in ((VALIDATION, source.validation), (TEST, source.test)):
        if written:
            files[part] = _files(request.path(written), request, notes)
    folder = path if path.is_dir() else path.parent
    columns = Columns(
        source.key,
        source.labels,
        source.weights,
        source.white,
        source.layout,
        folder,
        request.root,
        request.labels_required,
    )
    found = {part: table_stack(_table(paths, path), columns, request.fit) for part, paths in files.items()}
    stacks = {part: stack for part, (stack, _) in found.items()}
    _, names = found[TRAIN]
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), names, tuple(notes))


def _files(path: Path, request: Request, notes: list[str]) -> list[Path]:
    found = list(files_in(path, request.root, notes, _ENDINGS, "Parquet files")) if path.is_dir() else [path]
    if not found:
        raise UnavailableError(f"{path} contains no files that end in .parquet", f"put Parquet files into {path}")
    return found


def _by_part(path: Path, request: Request, notes: list[str]) -> dict[str, list[Path]]:
    """Return the files of each part, given by the first word of their names or of their folder."""
    parts: dict[str, list[Path]] = {}
    for file in _files(path, request, notes):
        inside = file.relative_to(path).parts if path.is_dir() else ()
        words = (word.partition("-")[0].partition(".")[0] for word in inside)
        part = next((part for part in map(part_named, words) if part is not None), TRAIN)
        parts.setdefault(part, []).append(file)
    if TRAIN not in parts:
        raise DataError(f"{path} contains files only for {' and '.join(parts)}: to train on one of them, name it")
    return parts


def _table(files: Sequence[Path], path: Path) -> ArrowTable:
    tables = [_read(file) for file in files]
    try:
        table = pa.concat_tables(tables)
    except pa.ArrowException as error:
        raise DataError(f"the files of {path} differ in their columns: {reason(error)}") from error
    called = str(path if len(files) > 1 else files[0])
    identity = f"{table.num_rows} {table.nbytes}"
    return ArrowTable(
        table.schema,
        table.num_rows,
        table.nbytes,
        identity,
        called,
        lambda column, index: _cells(table, column, index),
        table.column,
    )


def _cells(table: Any, column: str, index: Index) -> Sequence[Any]:
    cells = table.column(column)
    return [cells[number] for number in index.tolist()]


def _read(path: Path) -> Any:
    """Return the table of a file, which must fit in memory."""
    tables: list[Any] = []
    needed, room = 0, available_memory()
    try:
        with open_regular(path) as opened:
            rows = ParquetRows(opened, path.stat().st_size, str(path))
            schema = _plain(rows.schema)
            for batch in rows.batches():
                batch.validate(full=True)  # the offsets in a damaged file may be out of bounds
                table = pa.Table.from_batches([batch]).cast(schema)
                needed += table.nbytes
                if room is not None and needed > room:
                    raise DataError(f"{path} does not fit into memory ({room:,} bytes): split it")
                tables.append(table)
            return pa.concat_tables([schema.empty_table(), *tables])
    except MemoryError:  # also an error of Arrow
        raise
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"{path} is not a Parquet file, or is damaged: {reason(error)}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read, or is damaged: {reason(error)}") from error


def _plain(schema: Any) -> Any:
    """Return the schema with the values of categorical columns in place of their codes."""
    types = (field.type for field in schema)
    plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in types]
    return pa.schema(map(pa.field, schema.names, plain), schema.metadata)
