"""Labels of samples: one number per sample, and the names of the classes if labels are words."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from caedsl.data.errors import DataError
from caedsl.data.stacks.array_stack import shape_text
from caedsl.data.stacks.row_file import RowFile, whole
from caedsl.data.stacks.stack import Array, Labels


class StoredLabels(NamedTuple):
    """Labels as int64, or None; they index ``names`` if the classes have names."""

    numbers: Labels | None = None
    names: tuple[str, ...] = ()


def as_labels(array: Array | RowFile, file: str) -> StoredLabels:
    """Return an array of labels, whole numbers or words; raise a ``DataError`` for anything else."""
    if array.ndim != 1 and not (array.ndim == 2 and array.shape[1] == 1):
        raise DataError(
            f"{file}: labels are one number per sample, but the shape of this array is {shape_text(array.shape)}"
        )
    if array.dtype.kind not in "biuUS":
        raise DataError(
            f"{file}: labels are whole numbers or words, but these have the type {array.dtype}: save them as integers"
        )
    values = whole(array, file).reshape(-1)
    if values.dtype.kind not in "US":
        return StoredLabels(values.astype(np.int64))
    return word_labels(values.tolist(), file)


def word_labels(values: Sequence[str | bytes], file: str) -> StoredLabels:
    """Return labels that are words; raise a ``DataError`` for one that is not text."""
    words = [_word(value, file) for value in values]
    names = tuple(sorted(set(words)))
    number = {name: place for place, name in enumerate(names)}
    return StoredLabels(np.array([number[word] for word in words], dtype=np.int64), names)


def _word(value: str | bytes, file: str) -> str:
    try:
        word = value.decode() if isinstance(value, bytes) else value
        word.encode()
    except UnicodeError:
        raise DataError(f"{file}: the label {value!a} is not valid text: save labels as UTF-8 or as integers") from None
    return word
