"""Samples that are decoded on demand: image files, or encoded images in a table."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import BrokenImagesError, DataError, listing
from caedsl.data.sample_format import SampleFormat, ValueScale, blank
from caedsl.data.stacks.stack import Index, Labels, RawSamples, Weights
from caedsl.diagnostics.text import counted
from caedsl.vocabulary.shape import text

if TYPE_CHECKING:
    from caedsl.data.files.picture import Picture

IMAGES = 2
"""Axes of an image file."""
MANY_FILES = 10_000
"""Do not read more encoded samples than this before the first step."""
_SHA256_BYTES = 32


def check_input(fit: SampleFormat) -> None:
    """Raise a ``DataError`` if the input is not an image, or has a number of channels that image files do not have."""
    if len(fit.space) != IMAGES:
        raise DataError(
            f"image files have height and width, but the {fit.word} {fit.input} is for {fit.noun}s: name {fit.noun}s, "
            f"such as an npy file, or use a model with `{fit.word} 3x64x64`"
        )
    if fit.channels not in (1, 3):
        raise DataError(
            f"image files have 1 or 3 channels, but the {fit.word} is {fit.input}: name an npy file, or use a model "
            f"with `{fit.word} {fit.input_of(3)}`"
        )


class PictureStack(ABC):
    """Encoded samples; ``labels`` are one number each, or None.

    ``white`` is the value of white in those of more than 8 bits.
    """

    labels: Labels | None
    weights: Weights | None
    fit: SampleFormat
    white: int | None

    def __init__(self, samples: int) -> None:
        # The checksum of each sample when it was first read; zeros before that.
        self._checksums = np.zeros((samples, _SHA256_BYTES), np.uint8)

    def __len__(self) -> int:
        return len(self._checksums)

    @property
    @abstractmethod
    def place(self) -> str:
        """Place of the samples, for messages."""

    @abstractmethod
    def called(self, number: int) -> str:
        """Return the name of a sample for messages."""

    @abstractmethod
    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``."""

    @abstractmethod
    def decoders(self, index: Index) -> "Iterator[Callable[[], Picture]]":
        """Yield a decoder for each of these samples, which raises a ``DataError`` that names a broken sample."""

    @property
    def scale(self) -> ValueScale:
        """See ``Stack.scale``."""
        return ValueScale(255, self.fit)

    @property
    def value_bytes(self) -> int:
        """See ``Stack.value_bytes``: 1, because few files have more than 8 bits."""
        return 1

    @property
    def read_bytes(self) -> int:
        """See ``Stack.read_bytes``: the size of an image is unknown until its file is opened."""
        return 0

    @property
    def ready(self) -> bool:
        """See ``Stack.ready``: files are decoded."""
        return False

    def read(self, index: Index) -> RawSamples:
        """See ``Stack.read``; raise a ``DataError`` that names samples that cannot be used."""
        pictures: list[Picture] = []
        broken: dict[int, str] = {}
        for number, decode in zip(index.tolist(), self.decoders(index), strict=True):
            try:
                picture = decode()
                self._recognise(number, picture.sha256)
                pictures.append(picture)
            except DataError as error:
                broken[number] = str(error)
        if broken:
            raise BrokenImagesError(*listing(list(broken.values()), "files"), broken=broken)
        return RawSamples(
            _together([picture.x_chw for picture in pictures], self.fit, self.scale),
            b"".join(picture.sha256 for picture in pictures),
            tuple(remark for picture in pictures for remark in picture.remarks),
            tuple(picture.size for picture in pictures),
        )

    def _recognise(self, number: int, sha256: bytes) -> None:
        now, before = np.frombuffer(sha256, np.uint8), self._checksums[number]
        if not before.any():
            self._checksums[number] = now
        elif (now != before).any():
            raise DataError(
                f"{self.called(number)} was changed while it was in use: restore it, or run the command again"
            )

    def conclude(self, remarks: Counter[str], images: int) -> tuple[str, ...]:
        """Return the number of files with each remark; raise a ``DataError`` if all are grey but the input is not."""
        from caedsl.data.files.picture import GREY

        if images and remarks[GREY] == images:
            raise DataError(
                f"all images of {self.place} are grey, but the {self.fit.word} is {self.fit.input}: write "
                f"`{self.fit.word} {self.fit.input_of(1)}`"
            )
        return tuple(
            f"{count} of {counted(images, self.fit.noun)} {remark}{self._how(remark)}"
            for remark, count in remarks.items()
        )

    def _how(self, remark: str) -> str:
        return f" to {text(self.fit.space)} ({self.fit.resize})" if remark == "resized" else ""


def _together(images: Sequence[Tensor], fit: SampleFormat, scale: ValueScale) -> Tensor:
    """Return images C×H×W as one tensor: bytes if all are bytes, otherwise all in the input's range."""
    are_bytes = all(x_chw.dtype == torch.uint8 for x_chw in images)
    x_bchw = blank(len(images), fit, torch.uint8 if are_bytes else torch.float32)
    for place, x_chw in enumerate(images):
        x_bchw[place] = x_chw if are_bytes else scale(x_chw)
    return x_bchw
