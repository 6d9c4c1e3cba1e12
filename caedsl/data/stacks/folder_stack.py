"""Images of a folder, decoded on demand."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from caedsl.data.files.listing import Files, file_name
from caedsl.data.fit import SampleFormat
from caedsl.data.stacks.picture_stack import MANY_FILES, PictureStack
from caedsl.data.stacks.stack import LARGE_BYTES, Index, Labels, Weights
from caedsl.diagnostics.text import printable

if TYPE_CHECKING:
    from caedsl.data.files.picture import Picture


@dataclass
class FolderStack(PictureStack):
    """Files with one sample each, decoded on demand, by default as images.

    ``white`` is the value of white in those of more than 8 bits.
    """

    paths: Sequence[Path]
    root: Path
    fit: SampleFormat
    labels: Labels | None = None
    white: int | None = None
    decode: "Callable[[Path, SampleFormat, int | None], Picture] | None" = None
    weights: Weights | None = None

    def __post_init__(self) -> None:
        super().__init__(len(self.paths))

    @property
    def place(self) -> str:
        """See ``PictureStack.place``."""
        return str(self.root)

    def called(self, number: int) -> str:
        """See ``PictureStack.called``."""
        return str(self.paths[number])

    def is_large(self, index: Index) -> bool:
        """See ``Stack.is_large``; missing files are reported when they are read."""
        if len(index) > MANY_FILES:
            return True
        stored = 0
        for number in index.tolist():
            with suppress(OSError, ValueError):
                stored += os.stat(self.paths[number]).st_size
        return stored > LARGE_BYTES

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        return "\n".join(self.names(index)).encode("utf-8", "surrogatepass")

    def decoders(self, index: Index) -> "Iterator[Callable[[], Picture]]":
        """See ``PictureStack.decoders``."""
        from caedsl.data.files.picture import read_picture

        decode = self.decode or read_picture
        return (partial(decode, self.paths[number], self.fit, self.white) for number in index.tolist())

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``: paths relative to the folder of the source."""
        if isinstance(self.paths, Files):
            return [printable(self.paths.names[number]) for number in index.tolist()]
        return [file_name(self.paths[number], self.root) for number in index.tolist()]
