"""What loading gives, and what it says when it cannot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from caedsl.model.data import DataSource

if TYPE_CHECKING:
    from caedsl.data.pixels import Pixels


class DataError(Exception):
    """The images cannot be had; the message is written for a person: the file, the value, the remedy."""


class UnavailableError(DataError):
    """A source that is not there, so that the next one of the spec may be taken; ``remedy`` says how to provide it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Progress(Protocol):
    """Told how far a download or the reading of a folder has come."""

    def __call__(self, task: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` (0 where unknown) ``bytes`` or ``images``; a task ends with the two equal."""


def silent(task: str, done: int, total: int, unit: str) -> None:
    """A ``Progress`` that shows nothing."""


@dataclass(frozen=True)
class Images:
    """The images of one source, fitted to the input of a spec.

    ``train_pixels`` and ``test_pixels`` are held in memory or read from their files as they are needed; ``labels`` and
    ``test_labels`` are int64, one an image, and index ``class_names`` where the classes have names. ``notes`` says all
    that was done to the images and that the author may not expect, the fall to another source first. ``sha256`` is
    that of the source's own bytes, training before test, in the order of use: the pixels of an array or idx file as
    stored, for a folder the SHA-256 of each file.
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
