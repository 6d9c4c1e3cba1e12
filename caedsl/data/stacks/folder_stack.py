"""Images of a folder, decoded on demand."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from caedsl.data.files.file_listing import Files, file_name
from caedsl.data.patches import Patches
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.picture_stack import MANY_FILES, PictureStack
from caedsl.data.stacks.stack import LARGE_BYTES, Index, Labels, Stack, Weights
from caedsl.diagnostics.text import counted

if TYPE_CHECKING:
    from caedsl.data.files.picture import Picture


def groups_of(stack: Stack, index: Index) -> Tensor | None:
    """Return the number of the image of each of these samples if they are patches, otherwise None."""
    if not isinstance(stack, FolderStack) or stack.patches is None:
        return None
    return torch.from_numpy(index // stack.samples_per_file)


def patch_notes(stack: Stack, index: Index) -> list[str]:
    """Return notes on patches with these numbers."""
    groups = groups_of(stack, index)
    if groups is None or not len(groups):
        return []
    images = len(np.unique(groups.numpy()))
    notes = [f"{counted(len(groups), 'patch', 'patches')} of {counted(images, 'image')}"]
    if images == 1:
        notes.append("held-out patches may overlap training patches: they are of one image")
    return notes


@dataclass
class FolderStack(PictureStack):
    """Files with one sample each, or with ``patches`` of each image, decoded on demand, by default as images.

    ``white`` is the value of white in those of more than 8 bits. ``labels`` and ``weights`` are one number per sample.
    """

    paths: Sequence[Path]
    root: Path
    fit: SampleFormat
    labels: Labels | None = None
    white: int | None = None
    decode: "Callable[[Path, SampleFormat, int | None], Picture] | None" = None
    weights: Weights | None = None
    patches: Patches | None = None

    def __post_init__(self) -> None:
        super().__init__(len(self.paths) * self.samples_per_file)

    @property
    def samples_per_file(self) -> int:
        """Number of samples of each file; they follow one another."""
        return 1 if self.patches is None else self.patches.count

    def file_of(self, number: int) -> Path:
        """Return the file of a sample."""
        return self.paths[number // self.samples_per_file]

    @property
    def place(self) -> str:
        """See ``PictureStack.place``."""
        return str(self.root)

    def called(self, number: int) -> str:
        """See ``PictureStack.called``."""
        return str(self.file_of(number))

    def is_large(self, index: Index) -> bool:
        """See ``Stack.is_large``; missing files are reported when they are read.

        Patches are read in order before the first step: read in any other order, each would decode a whole image.
        """
        files = np.unique(index // self.samples_per_file)
        if self.patches is not None or len(files) > MANY_FILES:
            return len(files) > MANY_FILES
        stored = 0
        for number in files.tolist():
            with suppress(OSError, ValueError):
                stored += os.stat(self.paths[number]).st_size
        return stored > LARGE_BYTES

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        return "\n".join(self.names(index)).encode("utf-8", "surrogatepass")

    def decoders(self, index: Index) -> "Iterator[Callable[[], Picture]]":
        """See ``PictureStack.decoders``."""
        from caedsl.data.files.picture import read_picture

        if self.patches is not None:
            return self._patch_decoders(index, self.patches)
        decode = self.decode or read_picture
        return (partial(decode, self.paths[number], self.fit, self.white) for number in index.tolist())

    def _patch_decoders(self, index: Index, patches: Patches) -> "Iterator[Callable[[], Picture]]":
        """Yield functions that return patches; consecutive patches of a file are cut from one decoded image."""
        from caedsl.data.files.picture import Picture, read_picture

        def cut(whole: Callable[[], Picture], name: str, number: int) -> Picture:
            image = whole()
            top, left = patches.start(name, number, image.size)
            height, width = patches.space
            return image._replace(x_chw=image.x_chw[:, top : top + height, left : left + width])

        for file, numbers in groupby(index.tolist(), lambda number: number // patches.count):
            path = self.paths[file]
            whole = cache(partial(read_picture, path, self.fit, self.white, whole=True))
            # Without its ending, the name is also that of the partner in a pair.
            name = PurePath(file_name(path, self.root)).with_suffix("").as_posix()
            for number in numbers:
                yield partial(cut, whole, name, number % patches.count)

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``: paths relative to the folder of the source."""
        each = self.samples_per_file
        names = (self._file_name(number // each) for number in index.tolist())
        if self.patches is None:
            return list(names)
        return [f"{name}#{number % each}" for name, number in zip(names, index.tolist(), strict=True)]

    def _file_name(self, file: int) -> str:
        if isinstance(self.paths, Files):
            return self.paths.names[file]
        return file_name(self.paths[file], self.root)
