"""Temporary file of preprocessed samples: decoded once, and read in every epoch."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.data.sample_format import SampleFormat, ValueScale
from caedsl.data.stacks.row_file import SUPPORTED, read_at, runs
from caedsl.data.stacks.stack import Index

LEFT_FREE = 1 << 30
"""Leave at least this many bytes free on the disk."""


class Scratch:
    """Samples by position, channels last, of one type: bytes or real numbers.

    Several threads may read and write at once. The system deletes the file when the process ends in any way.
    """

    def __init__(self, handle: int, fit: SampleFormat, scale: ValueScale, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._handle, self._fit, self._scale = handle, fit, scale
        weakref.finalize(self, os.close, handle)

    @classmethod
    def open(cls, folder: Path, samples: int, fit: SampleFormat, scale: ValueScale, dtype: torch.dtype) -> Self | None:
        """Return a file in ``folder`` for this many samples, or None if there is no space."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(folder).free
            if not SUPPORTED or free < samples * fit.values * dtype.itemsize + LEFT_FREE:
                return None
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                return cls(os.dup(file.fileno()), fit, scale, dtype)
        except OSError:
            return None

    def put(self, places: Index, values: Tensor) -> bool:
        """Write the samples of these positions; return False if the types differ or the file is full."""
        if self.dtype == torch.float32:
            values = self._scale(values)
        if values.dtype != self.dtype:
            return False
        row_bytes = self._fit.values * self.dtype.itemsize
        buffer = values.movedim(1, -1).contiguous().numpy().reshape(-1).view(np.uint8).data
        try:
            if shutil.disk_usage(self._handle).free < LEFT_FREE:
                return False
            for place, first, count in runs(places):
                rest = buffer[place * row_bytes : (place + count) * row_bytes]
                position = first * row_bytes
                while rest:
                    written = os.pwrite(self._handle, rest, position)
                    rest, position = rest[written:], position + written
        except OSError:
            return False
        return True

    def get(self, places: Index) -> Tensor:
        """Return the samples of these positions, all of which were written."""
        fit, item = self._fit, self.dtype.itemsize
        rows = torch.empty(len(places), *fit.space, fit.channels, dtype=self.dtype)
        buffer = rows.numpy().reshape(-1).view(np.uint8).data
        for place, first, count in runs(places):
            start, end = place * fit.values * item, (place + count) * fit.values * item
            if not read_at(self._handle, buffer[start:end], first * fit.values * item):
                raise DataError("the decoded copy of the samples was truncated: run the command again")
        # With one channel both layouts are the same in memory, but kernels are chosen by strides: use contiguous ones.
        return rows.movedim(-1, 1) if fit.channels > 1 else rows.squeeze(-1).unsqueeze(1)
