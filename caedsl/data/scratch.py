"""A file without a name that holds images as they were fitted: decoded once, and read in every epoch."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import torch
from torch import Tensor

from caedsl.data.fit import SampleFormat, ValueScale
from caedsl.data.row_file import SUPPORTED, RowFile
from caedsl.data.stack import ArrayStack

LEFT_FREE = 1 << 30
"""The bytes that stay free on the disk whatever happens."""


class Scratch:
    """Samples written one after another, their channels last, in the type of the first: bytes, or real numbers.

    The system takes the file away when the process ends, in whatever way.
    """

    def __init__(self, file: BinaryIO, fit: SampleFormat, scale: ValueScale) -> None:
        self._file, self._fit, self._scale = file, fit, scale
        self._dtype: torch.dtype | None = None
        self._images = 0
        weakref.finalize(self, file.close)

    @classmethod
    def open(cls, folder: Path, images: int, fit: SampleFormat, scale: ValueScale) -> Self | None:
        """Return a file in ``folder`` for so many images; None where there is no room for their bytes."""
        needed = images * fit.values
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not SUPPORTED or shutil.disk_usage(folder).free < needed + LEFT_FREE:
                return None
            return cls(tempfile.TemporaryFile(dir=folder, buffering=0), fit, scale)
        except OSError:
            return None

    def add(self, values: Tensor) -> bool:
        """Write the next images.

        Whether all are there. The file is closed where one is no more than bytes and this is.
        """
        self._dtype = self._dtype or values.dtype
        if self._dtype == torch.float32:
            values = self._scale(values)
        try:
            if values.dtype != self._dtype or shutil.disk_usage(self._file.fileno()).free < LEFT_FREE:
                raise OSError
            rest = values.movedim(1, -1).contiguous().numpy().reshape(-1).view(np.uint8).data
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.close()
            return False
        self._images += len(values)
        return True

    def stack(self, source: str) -> ArrayStack:
        """Return the images in the file, to be read; ``source`` names them in messages."""
        fit = self._fit
        dtype = np.dtype(np.uint8 if self._dtype == torch.uint8 else np.float32)
        shape = (self._images, *fit.space, fit.channels)
        rows = RowFile(f"the decoded copy of {source}", os.dup(self._file.fileno()), dtype, shape)
        self._file.close()
        return ArrayStack(rows, "last", fit, rows.file, white=self._scale.top if dtype == np.uint8 else None)
