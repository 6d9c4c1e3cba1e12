"""Samples that were loaded for a spec."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.stacks.pixels import Pixels
from caedsl.model.data import DataSource


@dataclass(frozen=True)
class Images:
    """Samples of one source, in the format of a spec's input.

    ``train_pixels``, ``test_pixels`` and ``validation_pixels`` (None if the source has no such part) are in memory or
    read on demand. ``labels`` and ``test_labels`` are int64, one per sample, and index ``class_names`` if the classes
    have names. ``weights`` are the weights of the training samples in the loss, or None if all are equal. ``groups``
    are the numbers of the images of which the training samples are patches, or None if each is an image. ``notes`` list
    what was done to the samples that the author may not expect, a replaced source first; ``skipped`` names the files
    that were left out as broken. ``names`` has the sample names by part; samples of other parts are numbered from 0.
    ``train_targets`` and so on are the expected outputs for each part, or None for the samples themselves. ``sha256``
    is the checksum of the source's bytes (training, validation, test) in the order of use: of the stored values of an
    array or idx file, and of the SHA-256 of each file of a folder. ``part_sha256`` has that of the validation and the
    test samples alone, by part.
    """

    train_pixels: Pixels
    test_pixels: Pixels | None
    labels: Tensor | None
    test_labels: Tensor | None
    class_names: tuple[str, ...]
    source: DataSource
    name: str
    notes: tuple[str, ...]
    sha256: str
    part_sha256: Mapping[str, str] = field(default_factory=dict)
    validation_pixels: Pixels | None = None
    weights: Tensor | None = None
    groups: Tensor | None = None
    skipped: tuple[str, ...] = ()
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    train_targets: Pixels | None = None
    validation_targets: Pixels | None = None
    test_targets: Pixels | None = None
    validation_labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.train_pixels)

    def labels_of(self, part: str) -> Tensor | None:
        """Return the labels of a part by sample number, or of the training samples that are held out for it.

        Return None if there are none.
        """
        own = {VALIDATION: self.validation_labels, TEST: self.test_labels}
        return own.get(self._part_with(part), self.labels)

    def name_of(self, part: str, number: int) -> str:
        """Return the name of a sample of a part, or of a training sample held out for it: its file or its number."""
        part = self._part_with(part)
        return self.names[part][number] if part in self.names else str(number)

    def _part_with(self, part: str) -> str:
        """Return the part of the source whose samples belong to ``part``: validation samples may be held out."""
        return TRAIN if part == VALIDATION and self.validation_pixels is None else part

    @property
    def train(self) -> Tensor:
        """Training samples as one contiguous float32 tensor in the input's range, created on each access."""
        return self.train_pixels.everything()

    @property
    def test(self) -> Tensor | None:
        """Test samples in the same way."""
        return None if self.test_pixels is None else self.test_pixels.everything()
