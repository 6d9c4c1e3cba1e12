"""What loading gives, and what it says when it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from caedsl.diagnostics.text import printable
from caedsl.model.data import DataSource

if TYPE_CHECKING:
    from caedsl.data.pixels import Pixels


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


class Progress(Protocol):
    """Told how far a download or the reading of a folder has come."""

    def __call__(self, task: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` (0 where unknown) ``bytes`` or ``images``; a task ends with the two equal."""


def silent(task: str, done: int, total: int, unit: str) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Images:
    """The images of one source, fitted to the input of a spec.

    ``train_pixels``, ``test_pixels`` and ``validation_pixels`` (None where the source has no such part) are held in
    memory or read from their files as they are needed; ``labels`` and ``test_labels`` are int64, one an image, and
    index ``class_names`` where the classes have names. ``notes`` says all that was done to the images and that the
    author may not expect, the fall to another source first; ``skipped`` names each file that was left out as broken.
    ``sha256`` is that of the source's own bytes, training before validation before test, in the order of use: the
    pixels of an array or idx file as stored, for a folder the SHA-256 of each file.
    """

    train_pixels: "Pixels"
    test_pixels: "Pixels | None"
    labels: Tensor | None
    test_labels: Tensor | None
    class_names: tuple[str, ...]
    source: DataSource
    name: str
    notes: tuple[str, ...]
    sha256: str
    validation_pixels: "Pixels | None" = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.train_pixels)

    @property
    def train(self) -> Tensor:
        """The training images in one tensor, contiguous float32 N×C×H×W in the input's range; made anew each time."""
        return self.train_pixels.everything()

    @property
    def test(self) -> Tensor | None:
        """The same of the test images."""
        return None if self.test_pixels is None else self.test_pixels.everything()
