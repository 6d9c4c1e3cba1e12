"""Errors of data with messages for users, and the interface for reading progress."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from caedsl.diagnostics.messages import MessageError


class DataError(MessageError):
    """Samples that cannot be loaded; the message names the file, the value and the remedy."""


class BrokenImagesError(DataError):
    """Samples that cannot be used; ``broken`` has the number of each in the source, and the reason."""

    def __init__(self, *lines: object, broken: Mapping[int, str] = MappingProxyType({})) -> None:
        super().__init__(*lines)
        self.broken = broken


class UnavailableError(DataError):
    """Source that is not available, so that the next one of the spec is tried; ``remedy`` says how to provide it."""

    def __init__(self, message: str, remedy: str, *more: str) -> None:
        super().__init__(message, *more)
        self.remedy = remedy


_NAMED = 20


def listing(messages: Sequence[str], things: str) -> list[str]:
    """Return the messages as lines; beyond 20 they are only counted."""
    more = len(messages) - _NAMED
    return [*messages[:_NAMED], *([f"and {more:,} more {things}"] if more > 0 else [])]


def reason(error: BaseException) -> str:
    """Return the reason of a failure in one line, without the path."""
    text = str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
    first = text.splitlines()[0]
    return first if first[1:2].isupper() else first[:1].lower() + first[1:]


class ReadingProgress(Protocol):
    """Callback for the progress of a download or of reading a folder."""

    def __call__(self, task: str, done: int, total: int, unit: str) -> None:
        """Report ``done`` of ``total`` (0 if unknown) ``bytes`` or ``images``; a task ends with the two equal."""


def silent(task: str, done: int, total: int, unit: str) -> None:
    """Show nothing."""
