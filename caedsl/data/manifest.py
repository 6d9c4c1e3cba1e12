"""Image files that a table names: a CSV with the columns ``path``, and perhaps ``label``, ``split`` and targets."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from caedsl.data.errors import DataError, UnavailableError
from caedsl.data.folder_layout import TEST, TRAIN, VALIDATION, part_named
from caedsl.data.folder_stack import FolderStack, check_input
from caedsl.data.regular_file import read_regular
from caedsl.data.source_reader import Request, UnreadImages, confined, reason
from caedsl.data.stack import Labels
from caedsl.model.data import DataSource

_PATH, _LABEL, _SPLIT = "path", "label", "split"


class _Row(NamedTuple):
    """A line of the table, counted from 1: where its image lies, its class ("" without), its part."""

    line: int
    path: Path
    label: str
    part: str


def read(request: Request) -> UnreadImages:
    """Find the images of a table, in the order of its lines; their paths start from the folder of the table.

    Images without a ``split`` are for training. There are labels where every image has one. The key of the source names
    another column than ``path``.
    """
    table = request.path(request.source.path)
    check_input(request.fit)
    notes: list[str] = []
    rows = _rows(table, request.source, notes)
    if request.source.key is None:
        _refuse_twice(rows, table)
    for row in rows:
        confined(row.path, request.root)
    parts = {part: [row for row in rows if row.part == part] for part in (TRAIN, VALIDATION, TEST)}
    if not parts[TRAIN]:
        text = f"{table} names no images to train on"
        raise UnavailableError(text, f"add lines to {table} whose `split` is train, or empty")
    unlabelled = [row.line for row in rows if not row.label]
    if 0 < len(unlabelled) < len(rows):
        notes.append(
            f"no labels for {table.name}: {len(unlabelled)} lines have none, the first is line {unlabelled[0]}"
        )
    names = () if unlabelled else tuple(sorted({row.label for row in rows}))
    stacks = {
        part: FolderStack(
            [row.path for row in of_part], table, request.fit, _numbers(of_part, names), request.source.white
        )
        for part, of_part in parts.items()
        if of_part
    }
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), names, tuple(notes))


def _rows(table: Path, source: DataSource, notes: list[str]) -> list[_Row]:
    try:
        text = read_regular(table).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{table} is not UTF-8 ({reason(error)}): save it as UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = list(reader.fieldnames or ())
        wanted = source.key or _PATH
        for name in (wanted, *([source.target] if source.target else [])):
            if name not in columns:
                there = ", ".join(columns[:10]) or "none"
                raise DataError(
                    f"{table} has no column `{name}` (its columns are {there}): name the columns in its first line"
                )
        known = (_PATH, _LABEL, _SPLIT, source.key, source.target)
        if others := [column for column in columns if column not in known]:
            notes.append(f"columns of {table.name} that are not read: {', '.join(others[:10])}")
        return [_row(values, wanted, reader.line_num, table) for values in reader]
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.reader.line_num}: {error}: save it as a CSV with commas") from error


def _row(values: dict[str | None, str | list[str] | None], wanted: str, line: int, table: Path) -> _Row:
    if None in values:
        raise DataError(
            f"{table}, line {line}: it has more values than there are columns: put names with commas in quotes"
        )
    path, label, split = (str(values.get(column) or "").strip() for column in (wanted, _LABEL, _SPLIT))
    if not path or "\0" in path:
        raise DataError(f"{table}, line {line}: it names no image: write its path into the column `{wanted}`")
    part = part_named(split) if split else TRAIN
    if part is None:
        raise DataError(f'{table}, line {line}: the split "{split}" is none of train, validation and test')
    return _Row(line, table.parent / path, label, part)


def _refuse_twice(rows: Sequence[_Row], table: Path) -> None:
    first: dict[Path, _Row] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if before is not row:
            raise DataError(
                f"{table}, line {row.line}: {row.path} is named in line {before.line} already: leave one of the two "
                "lines"
            )


def _numbers(rows: Sequence[_Row], names: Sequence[str]) -> Labels | None:
    number = {name: place for place, name in enumerate(names)}
    return np.array([number[row.label] for row in rows], dtype=np.int64) if names else None
