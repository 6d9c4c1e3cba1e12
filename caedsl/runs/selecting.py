"""Sort and filter a list of runs."""

from collections.abc import Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from re import fullmatch

from caedsl.runs.listing import ListedRun

COLUMNS = tuple(field.name for field in fields(ListedRun))
_DESCENDING = frozenset({"psnr"})
"""Columns of which more is better: they are sorted from the largest down."""


class SelectionError(ValueError):
    """A column that is not known, or a condition that is not written right; the message says what may be written."""


def sort_runs(records: Sequence[ListedRun], column: str) -> list[ListedRun]:
    """Return runs in the order of a column, the best PSNR first; those without a value come last."""
    _check(column)
    there = [record for record in records if getattr(record, column) is not None]
    ordered = sorted(there, key=lambda record: getattr(record, column), reverse=column in _DESCENDING)
    return [*ordered, *(record for record in records if getattr(record, column) is None)]


def filter_runs(records: Sequence[ListedRun], condition: str) -> list[ListedRun]:
    """Return the runs for which ``state=finished``, ``folder=*parts*``, ``psnr>20`` or ``seed<3`` holds.

    ``=`` compares text, with ``*`` for anything; ``<`` and ``>`` compare numbers, which a run must have.
    """
    found = fullmatch(r"\s*(\w+)\s*([=<>])\s*(.*?)\s*", condition)
    if found is None:
        raise SelectionError(f'"{condition}" is no condition: write COLUMN=TEXT, COLUMN<NUMBER or COLUMN>NUMBER')
    column, sign, wanted = found.groups()
    _check(column)
    if sign == "=":
        return [record for record in records if fnmatchcase(_text(getattr(record, column)), wanted)]
    try:
        limit = float(wanted)
    except ValueError:
        raise SelectionError(f'"{wanted}" is no number: {column}{sign} compares numbers') from None
    numbers = [(record, getattr(record, column)) for record in records]
    return [
        record
        for record, value in numbers
        if isinstance(value, int | float) and (value < limit if sign == "<" else value > limit)
    ]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _check(column: str) -> None:
    if column not in COLUMNS:
        raise SelectionError(f'there is no column "{column}": columns are {", ".join(COLUMNS)}')
