"""Datasets of the Hugging Face ``datasets`` package for ``caedsl.train(images=…)``; the package is not imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caedsl.data.errors import DataError
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION, part_named
from caedsl.data.readers.arrow import ArrowTable, Columns, table_stack
from caedsl.data.readers.source_reader import UnreadImages
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.stack import Index, Stack

_COLUMNS = Columns(None, None, None, None, None, Path(), None)


def read_dataset(given: Any, fit: SampleFormat, called: str) -> UnreadImages:
    """Find the samples of a dataset: its only column of images or arrays, and its only column of classes.

    The parts of a ``DatasetDict`` are named by its splits.
    """
    splits = given if isinstance(given, Mapping) else {TRAIN: given}
    parts: dict[str, tuple[Stack, tuple[str, ...]]] = {}
    for split, dataset in splits.items():
        part = part_named(split)
        if part is not None:
            parts[part] = table_stack(_table(dataset, called), _COLUMNS, fit)
    if TRAIN not in parts:
        raise DataError(
            f"{called} has no split train (its splits are {', '.join(splits) or 'none'}): rename one to train"
        )
    stacks = {part: stack for part, (stack, _) in parts.items()}
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), parts[TRAIN][1])


def _table(dataset: Any, called: str) -> ArrowTable:
    if not hasattr(dataset, "data"):
        raise DataError(f"{called} is a stream, which has no length: load it without `streaming=True`")
    rows = dataset.with_format("arrow")
    columns: dict[str, Any] = {}

    def column_of(name: str) -> Any:
        if name not in columns:
            columns[name] = rows.select_columns([name])
        return columns[name]

    def cells(name: str, index: Index) -> Any:
        return column_of(name)[index.tolist()].column(name)

    return ArrowTable(
        dataset.features.arrow_schema,
        len(dataset),
        dataset.data.nbytes,
        dataset._fingerprint,
        called,
        cells,
        lambda name: column_of(name)[:].column(name),
    )
