"""Signals in a CSV file with one line per time step and one column per channel, cut into windows."""

import csv
import io
from array import array
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError, reason
from caedsl.data.files.regular_file import open_regular
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.signal_windows import Windows, window_name, windows_of
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.stack import Index
from caedsl.diagnostics.text import counted

_DELIMITERS = ",;\t"
_LONGEST = 1 << 20
"""Limit the characters of a line."""
_LARGEST = float(np.finfo(np.float32).max)


class _Table(NamedTuple):
    """Columns of a file by name, the number of its first line of values, and the separator."""

    path: Path
    names: list[str]
    first: int
    delimiter: str


@dataclass(kw_only=True)
class TableStack(ArrayStack):
    """Windows of a table; ``lines`` has the line of the file in which each of them begins."""

    lines: NDArray[np.int64]

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``: the file, and the first line of each window."""
        return [window_name(Path(self.file).name, line) for line in self.lines[index].tolist()]

    def called(self, number: int) -> str:
        """See ``ArrayStack.called``."""
        return f"{self.file}: the {self.fit.noun} from line {self.lines[number]} on"


def read(request: Request) -> UnreadImages:
    """Find the windows of a table; the label of a window is the largest of its lines, if ``labels`` names a column.

    The source may name tables with the same columns to validate and to test on.
    """
    source, cut = request.source, windows_of(request.source, request.fit)
    train = _stack(request.path(source.path), request, cut)
    validation, test = (
        None if written is None else _stack(request.path(written), request, cut)
        for written in (source.validation, source.test)
    )
    return UnreadImages(train, test, validation, notes=cut.notes)


def _stack(path: Path, request: Request, cut: Windows) -> TableStack:
    source = request.source
    table = _table(path)
    wanted = _named(source.columns)
    labels = source.labels if request.labels_required or source.labels in table.names else None
    others = [*([labels] if labels is not None else []), *_named(source.target)]
    columns = _columns(table, wanted, others)
    if len(columns) != request.fit.channels:
        word, channels = request.fit.word, request.fit.channels
        option = "columns" if word == "input" else "target"
        named = f'name the columns with `{option}="{",".join(table.names[:channels])}"`'
        raise DataError(
            f"{path} has {counted(len(columns), 'column')} to read, but the {word} {request.fit.input} has "
            f"{counted(channels, 'channel')}: "
            + (
                f"{'leave out the others' if len(columns) > channels else 'add the others'}, or {named} in a data line"
                if request.fit.trained
                else f"write `{word} {len(columns)}x{request.fit.space[0]}`, or {named}"
            )
        )
    marked = [] if labels is None else _columns(table, [labels], ())
    numbers, lines = _values(table, [*columns, *marked])
    values = numbers[:, : len(columns)].astype(np.float32)
    if len(values) < cut.length:
        raise DataError(
            f"{path} has {counted(len(values), 'line')} of numbers, fewer than the window of {cut.length:,}: "
            + ("give longer signals" if request.fit.trained else "shorten the window")
        )
    windows = _windows(values, cut).swapaxes(1, 2)
    stack = TableStack(windows, "first", request.fit, str(path), lines=lines[:: cut.step][: len(windows)])
    if labels is not None:
        marks = numbers[:, len(columns) :]
        if (marks != marks.round()).any() or np.abs(marks).max() > 2**31:
            raise DataError(f"{path}: labels are whole numbers, but the column {labels} has other values")
        stack.labels = _windows(marks, cut).max(axis=(1, 2)).astype(np.int64)
    return stack


def _windows(values: NDArray[np.floating], cut: Windows) -> NDArray[np.floating]:
    """Return the windows of lines × columns as windows × lines × columns, without a copy."""
    whole = np.lib.stride_tricks.sliding_window_view(values, cut.length, axis=0)
    return whole[:: cut.step].swapaxes(1, 2)


def _table(path: Path) -> _Table:
    with closing(_lines(path)) as lines:
        head = next(lines, "").rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}") from error
    if not any(names):
        raise DataError(f"{path} is not a CSV file: its first line does not name the columns")
    if all(map(_is_number, names)):
        return _Table(path, [str(place + 1) for place in range(len(names))], 1, delimiter)
    return _Table(path, names, 2, delimiter)


def _lines(path: Path) -> Generator[str, None, None]:
    """Yield the lines of a file; raise a ``DataError`` if it is not text."""
    try:
        with io.TextIOWrapper(open_regular(path), "utf-8-sig", newline="\n") as file:
            while line := file.readline(_LONGEST):
                if len(line) == _LONGEST:
                    raise DataError(f"{path} is not a CSV file: it has a line of more than {_LONGEST:,} characters")
                if "\0" in line:
                    raise DataError(f"{path} is not a CSV file: it contains the character NUL")
                yield line
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a CSV file: it is not UTF-8 text") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _named(columns: str | None) -> list[str]:
    return [name.strip() for name in columns.split(",")] if columns else []


def _columns(table: _Table, wanted: Sequence[str], but: Sequence[str]) -> list[int]:
    """Return the positions of the columns ``wanted``, or of all columns except ``but``."""
    for name in (*wanted, *but):
        if table.names.count(name) != 1:
            known = ", ".join(table.names[:20])
            problem = "has several columns named" if name in table.names else "has no column"
            raise DataError(f'{table.path} {problem} "{name}": its columns are {known}; separate names by commas')
    if wanted:
        return [table.names.index(name) for name in wanted]
    return [place for place, name in enumerate(table.names) if name not in but]


def _values(table: _Table, columns: list[int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the numbers of some columns, rows × columns, and the line of each row; empty lines have none.

    Raise a ``DataError`` that names an invalid line.
    """
    values, numbers = array("d"), array("q")
    try:
        with closing(_lines(table.path)) as lines:
            below = islice(lines, table.first - 1, None)
            for line, row in enumerate(csv.reader(below, delimiter=table.delimiter), table.first):
                if row:
                    numbers.append(line)
                    values.extend([_number(row, column, table, line) for column in columns])
    except csv.Error as error:
        raise DataError(f"{table.path} is not a CSV file: {error}") from error
    return np.frombuffer(values, np.float64).reshape(-1, len(columns)), np.frombuffer(numbers, np.int64)


def _number(row: list[str], column: int, table: _Table, line: int) -> float:
    name = table.names[column]
    if column >= len(row):
        raise DataError(f'{table.path}, line {line}: the column "{name}" is missing')
    try:
        value = float(row[column])
    except ValueError:
        raise DataError(
            f'{table.path}, line {line}: the column "{name}" has `{row[column][:40]}`, not a number: correct it, or '
            "name the columns to read with `columns=`"
        ) from None
    if not abs(value) < _LARGEST:
        raise DataError(
            f'{table.path}, line {line}: the column "{name}" has {value}: replace the value, or remove the line'
        )
    return value
