"""Parts of a source: samples read together with their targets, labels and names."""

from hashlib import sha256
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from caedsl.data.first_reading import FirstReading, ReadSamples
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.sample_names import SampleNames, names_of
from caedsl.data.stacks.pixels import Pixels
from caedsl.data.stacks.stack import Index, Stack

_UNEVEN = 4
"""Report inputs and targets whose value ranges differ by more than this factor."""


class ReadPart(NamedTuple):
    """Samples of a part with their targets, labels and names; each of these is None if the source has none."""

    samples: ReadSamples
    targets: Pixels | None
    labels: Tensor | None
    names: SampleNames | None


class PartReader:
    """Reader of the parts of one source, training samples first.

    ``memory`` is the available memory in bytes; None asks the system.
    """

    def __init__(self, found: UnreadImages, request: Request, memory: int | None) -> None:
        self._found = found
        self._inputs = FirstReading(request, memory)
        self._targets = None if request.targets is None else FirstReading(request.targets, memory)

    @property
    def sha256(self) -> str:
        """Checksum of the parts that were read, with their targets."""
        return self._inputs.sha256 if self._targets is None else _joined(self._inputs.sha256, self._targets.sha256)

    def read(self, part: str, index: Index) -> ReadPart:
        """Read the samples of a part of the source with the numbers ``index``."""
        stack = self._found.part(part)
        assert stack is not None, "only a part that exists has numbers"
        wanted = None if self._found.targets is None else self._found.targets.part(part)
        samples, targets = self._read(stack, wanted, index)
        labels = None if stack.labels is None else torch.from_numpy(stack.labels[samples.index])
        return ReadPart(samples, targets, labels, names_of(stack, samples.index))

    def _read(self, inputs: Stack, targets: Stack | None, index: Index) -> tuple[ReadSamples, Pixels | None]:
        """Read samples, and their targets if there are any; skip a pair if one of the two is broken."""
        read = self._inputs.read(inputs, index)
        if targets is None or self._targets is None:
            return read, None
        wanted = self._targets.read(targets, read.index)
        kept = np.isin(read.index, wanted.index)
        notes = (
            *read.notes,
            *(f"targets: {note}" for note in wanted.notes),
            *_uneven(read.pixels, wanted.pixels, self._targets),
        )
        pixels = read.pixels if kept.all() else read.pixels.only(torch.from_numpy(np.flatnonzero(kept)))
        skipped = (*read.skipped, *wanted.skipped)
        return ReadSamples(pixels, wanted.index, notes, skipped, _joined(read.sha256, wanted.sha256)), wanted.pixels


def _joined(inputs: str, targets: str) -> str:
    return sha256((inputs + targets).encode()).hexdigest()


def _uneven(inputs: Pixels, targets: Pixels, reading: FirstReading) -> list[str]:
    """Report inputs and targets of one declared range that use parts of it with very different widths."""
    if reading.request.fit.declared:
        return []
    (low, high), (least, most) = inputs.span(), targets.span()
    if max(high - low, most - least) <= _UNEVEN * min(high - low, most - least):
        return []
    return [
        f"inputs and targets differ in range: inputs have values of {low:.3g}..{high:.3g}, targets of "
        f"{least:.3g}..{most:.3g}; scale both in the same way, or declare the range of the targets with `target`"
    ]
