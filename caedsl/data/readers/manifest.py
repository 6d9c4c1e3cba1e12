"""Image files listed in a table, CSV or Parquet.

Columns are ``path``, and optionally ``label``, ``split``, ``mask`` and targets.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from caedsl.data.errors import DataError, UnavailableError
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION, part_named
from caedsl.data.files.manifest_table import TableRow, read_table
from caedsl.data.readers.source_reader import Request, UnreadImages, confined, stated_path
from caedsl.data.sample_weights import as_weights
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.picture_stack import check_input
from caedsl.data.stacks.stack import Labels, Weights

PATH, _LABEL, _SPLIT, _MASK, _WEIGHT = "path", "label", "split", "mask", "weight"


class ManifestRow(NamedTuple):
    """Row of the table: its position, its image, its class (empty without one), its part and its mask."""

    place: str
    path: Path
    label: str
    part: str
    mask: Path | None
    weight: float


def read(request: Request) -> UnreadImages:
    """Find the images of a table, in the order of its rows; paths are relative to the folder of the table.

    Images without a ``split`` are for training. Labels are used if every image has one. The key of the source names
    another column than ``path``.
    """
    table = request.path(request.source.path)
    check_input(request.fit)
    notes: list[str] = []
    found = manifest_rows(table, notes, request.source.key, request.source.target)
    rows = list(_without_repetition(found, table) if request.source.key is None else found)
    for row in rows:
        confined(row.path, request.root)
    parts = {part: [row for row in rows if row.part == part] for part in (TRAIN, VALIDATION, TEST)}
    if not parts[TRAIN]:
        text = f"{table} has no training images"
        raise UnavailableError(text, f"add rows to {table} whose `split` is `train` or empty")
    unlabelled = [row.place for row in rows if not row.label]
    if 0 < len(unlabelled) < len(rows):
        notes.append(
            f"no labels for {table.name}: {len(unlabelled)} of {len(rows)} rows have none, the first is {unlabelled[0]}"
        )
    names = () if unlabelled else tuple(sorted({row.label for row in rows}))
    stacks = {
        part: FolderStack(
            [row.path for row in of_part],
            table,
            request.fit,
            _numbers(of_part, names),
            request.source.white,
            weights=_weights(of_part, table),
        )
        for part, of_part in parts.items()
        if of_part
    }
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), names, tuple(notes))


def manifest_rows(
    table: Path, notes: list[str], key: str | None = None, target: str | None = None
) -> Iterator[ManifestRow]:
    """Yield the rows of a table; add unused columns to ``notes``.

    ``key`` names another column than ``path``, and ``target`` the column of targets. Raise a ``DataError`` that names
    the wrong row.
    """
    known = {PATH, _LABEL, _SPLIT, _MASK, _WEIGHT, key, target}
    columns, rows = read_table(table, {name for name in known if name})
    for name in (key or PATH, *([target] if target else [])):
        if name not in columns:
            there = ", ".join(columns[:10]) or "none"
            raise DataError(
                f"{table} has no column `{name}` (its columns are {there}): correct its first line, which names the "
                "columns"
            )
    if others := [column for column in columns if column not in known]:
        notes.append(f"columns of {table.name} that are ignored: {', '.join(others[:10])}")
    for row in rows:
        yield _row(row, key or PATH, table)


def _row(row: TableRow, wanted: str, table: Path) -> ManifestRow:
    path, label, split, mask = (row.values.get(column, "") for column in (wanted, _LABEL, _SPLIT, _MASK))
    stated_path(path, f"{table}, {row.place}: the column `{wanted}`")
    if mask:
        stated_path(mask, f"{table}, {row.place}: the column `{_MASK}`")
    part = part_named(split) if split else TRAIN
    if part is None:
        raise DataError(f'{table}, {row.place}: the split "{split}" is unknown: write train, validation or test')
    try:
        weight = float(row.values.get(_WEIGHT, "") or 1)
    except ValueError:
        raise DataError(
            f'{table}, {row.place}: the weight "{row.values[_WEIGHT]}" is not a number: correct it'
        ) from None
    return ManifestRow(row.place, table.parent / path, label, part, table.parent / mask if mask else None, weight)


def _without_repetition(rows: Iterable[ManifestRow], table: Path) -> Iterator[ManifestRow]:
    """Yield the rows; raise a ``DataError`` at the first image that is there twice."""
    first: dict[Path, ManifestRow] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if before is not row:
            raise DataError(f"{table}, {row.place}: {row.path} is already in {before.place}: remove one of the two")
        yield row


def _weights(rows: Sequence[ManifestRow], table: Path) -> Weights | None:
    """Return the weight of each image, or None if all are 1."""
    weights = np.array([row.weight for row in rows])
    return None if (weights == 1).all() else as_weights(weights, len(rows), f"{table}, column `{_WEIGHT}`")


def _numbers(rows: Sequence[ManifestRow], names: Sequence[str]) -> Labels | None:
    number = {name: place for place, name in enumerate(names)}
    return np.array([number[row.label] for row in rows], dtype=np.int64) if names else None
