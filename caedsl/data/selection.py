"""Selection of samples of a source: ``only`` a class, and a random sample of ``limit``."""

from collections.abc import Iterator, Sequence

import numpy as np

from caedsl.data.errors import DataError
from caedsl.data.readers.source_reader import describe
from caedsl.data.stacks.stack import Index, Labels, Stack
from caedsl.diagnostics.text import counted
from caedsl.model.data import DataSource

_SEED = 0
"""Draw the sample of ``limit`` with this seed, so that it is the same in every run."""


def select(stack: Stack, class_names: Sequence[str], source: DataSource, limit: int | None = None) -> Index:
    """Return the numbers of the selected samples, in their order.

    Raise a ``DataError`` if ``only`` is not a class.
    """
    if stack.labels is not None and len(stack.labels) != len(stack):
        raise DataError(
            f"{describe(source)} has {counted(len(stack), 'sample')} but {counted(len(stack.labels), 'label')}: store "
            "one label per sample"
        )
    index = np.arange(len(stack))
    if source.only is not None:
        if stack.labels is None:
            raise DataError(f"`only={source.only}` needs labels, but {describe(source)} has none: {source.kind.labels}")
        index = index[stack.labels == _number(source.only, stack.labels, class_names, source)]
    if limit is None or limit >= len(index):
        return index
    return index[_sample(None if stack.labels is None else stack.labels[index], len(index), limit)]


def _sample(labels: Labels | None, count: int, limit: int) -> Index:
    """Draw ``limit`` of ``count`` samples; each class keeps its share and, if possible, at least one sample."""
    # The numbers that RandomState draws never change, unlike those of newer generators.
    order = np.random.RandomState(_SEED).permutation(count)
    if labels is None:
        return np.sort(order[:limit])
    by_class = np.argsort(labels[order], kind="stable")
    _, first, sizes = np.unique(labels[order][by_class], return_index=True, return_counts=True)
    place = (np.arange(count) - np.repeat(first, sizes)) / np.repeat(sizes, sizes)
    return np.sort(order[by_class[np.lexsort((by_class, place))[:limit]]])


def _number(only: int | str, labels: Labels, names: Sequence[str], source: DataSource) -> int:
    """Return the label that ``only`` means: the class with that name, or with that number if names are not numbers."""
    if str(only) in names:
        return names.index(str(only))
    numbers: Sequence[int] = range(len(names)) if names else np.unique(labels).tolist()
    if only in numbers and not any(name.isdigit() for name in names):
        return int(only)
    known = names or [str(number) for number in numbers]
    raise DataError(f"{describe(source)} has no class {only}: its classes are {', '.join(known[:100])}")


def selection_notes(source: DataSource, taken: int, there: int, noun: str) -> Iterator[str]:
    """Report what ``only`` and ``limit`` excluded."""
    if source.only is not None:
        yield f"only {noun}s of class {source.only}"
    if taken == source.limit and taken < there:
        yield f"limited to {counted(taken, f'randomly chosen {noun}')}"
