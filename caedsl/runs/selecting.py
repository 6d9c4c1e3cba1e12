"""Sort and filter a list of runs."""

from collections.abc import Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from re import fullmatch

from caedsl.runs.listing import ListedRun

COLUMNS = tuple(field.name for field in fields(ListedRun))
_DESCENDING = frozenset({"psnr"})
"""Columns in which larger values are better; they are sorted in descending order."""
_COMPARISONS = {"<": lt, "<=": le, ">": gt, ">=": ge}


class SelectionError(ValueError):
    """Unknown column or malformed condition; the message says what is allowed."""


def sort_runs(records: Sequence[ListedRun], column: str) -> list[ListedRun]:
    """Return the runs sorted by a column, the best PSNR first; runs without a value come last."""
    _check(column)
    there = [record for record in records if getattr(record, column) is not None]
    ordered = sorted(there, key=lambda record: getattr(record, column), reverse=column in _DESCENDING)
    return [*ordered, *(record for record in records if getattr(record, column) is None)]


def filter_runs(records: Sequence[ListedRun], condition: str) -> list[ListedRun]:
    """Return the runs that match a condition such as ``state=finished``, ``folder=*parts*``, ``psnr>20`` or ``seed<3``.

    ``=`` and ``!=`` compare text and accept ``*`` as a wildcard; ``<``, ``<=``, ``>`` and ``>=`` compare numbers and
    drop runs without one.
    """
    found = fullmatch(r"\s*(\w+)\s*(!=|[<>]=?|=)\s*(.*?)\s*", condition)
    if found is None:
        raise SelectionError(
            f'"{condition}" is not a condition: write COLUMN=TEXT, COLUMN!=TEXT, COLUMN<NUMBER or COLUMN>=NUMBER'
        )
    column, sign, wanted = found.groups()
    _check(column)
    if sign in ("=", "!="):
        return [r for r in records if fnmatchcase(_text(getattr(r, column)), wanted) == (sign == "=")]
    try:
        limit = float(wanted)
    except ValueError:
        raise SelectionError(f'"{wanted}" is not a number: {column}{sign} compares numbers') from None
    numbers = [(record, getattr(record, column)) for record in records]
    holds = _COMPARISONS[sign]
    return [record for record, value in numbers if isinstance(value, int | float) and holds(value, limit)]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _check(column: str) -> None:
    if column not in COLUMNS:
        raise SelectionError(f'there is no column "{column}": the columns are {", ".join(COLUMNS)}')
