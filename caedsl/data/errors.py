"""Errors of data, each message written for a person, and how reading tells how far it is."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from caedsl.diagnostics.text import printable


class DataError(Exception):
    """Images that cannot be had; the message is written for a person: the file, the value, the remedy.

    Names of files may hold anything: what cannot be printed is replaced.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(printable, message.split("\n"))))


class BrokenImagesError(DataError):
    """Images that cannot be used; ``broken`` has the number of each in the source, and the reason."""

    def __init__(self, message: str, broken: Mapping[int, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.broken = broken


class UnavailableError(DataError):
    """A source that is not there, so that the next one of the spec may be taken; ``remedy`` says how to provide it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


_NAMED = 20


def listing(messages: Sequence[str], things: str) -> str:
    """Return the messages, one a line; from the 21st on they are only counted."""
    more = len(messages) - _NAMED
    return "\n".join([*messages[:_NAMED], *([f"and {more:,} more {things}"] if more > 0 else [])])


class ReadingProgress(Protocol):
    """Told how far a download or the reading of a folder has come."""

    def __call__(self, task: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` (0 where unknown) ``bytes`` or ``images``; a task ends with the two equal."""


def silent(task: str, done: int, total: int, unit: str) -> None:
    """Show nothing."""
