"""Parts of the data that a run was trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.images import Images
from caedsl.data.readers.source_reader import confined, describe
from caedsl.data.split import split_validation
from caedsl.data.stacks.pixels import Pixels
from caedsl.data.survey import digest
from caedsl.inference.samples import Samples
from caedsl.training.batches import Batches
from caedsl.training.reporter import Reporter
from caedsl.training.stored_run import open_run
from caedsl.training.train import load_images

PARTS = (TRAIN, VALIDATION, TEST)

_BATCH = 256


@dataclass(frozen=True)
class PartSamples(Samples):
    """Part of a run's own data, on the CPU."""

    images: Batches
    names: Sequence[str]
    labels: Sequence[str] | None = None
    files: Sequence[Path] | None = None

    def batches(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """See ``Samples``."""
        start = 0
        for sample in self.images.in_order(size):
            yield slice(start, start + len(sample)), sample.seen
            start += len(sample)


def own_data(path: Path, data_dir: Path | None, reporter: Reporter, root: Path | None = None) -> dict[str, PartSamples]:
    """Return the non-empty parts of the data of the run in the folder ``path``, by name.

    The name of a sample consists of its part and its file, or its number in the source. No path of the run may leave
    ``root``. Errors are those of ``StoredRun.images``.
    """
    stored = open_run(path, data_dir)
    images = stored.images(data_dir, reporter, root)
    train, validation = split_validation(images, stored.settings.validation, stored.split_seed)
    parts = {
        TRAIN: _part(TRAIN, images, images.train_pixels, train),
        VALIDATION: _part(VALIDATION, images, images.train_pixels, validation)
        if images.validation_pixels is None
        else _part(VALIDATION, images, images.validation_pixels, None),
    }
    if images.test_pixels is not None:
        parts[TEST] = _part(TEST, images, images.test_pixels, None)
    return {name: part for name, part in parts.items() if len(part)}


def own_table(path: Path, data_dir: Path | None, root: Path | None = None) -> Path | None:
    """Return the table of the run in the folder ``path``, or None if its data come from another source."""
    stored = open_run(path, data_dir)
    for source in stored.model.data:
        if source.kind.lists_files and source.path and describe(source) == stored.environment.data.name:
            return confined(stored.model.folder / Path(source.path).expanduser(), root)
    return None


def all_test_samples(
    path: Path, data_dir: Path | None, reporter: Reporter, root: Path | None = None
) -> PartSamples | None:
    """Return the test samples of the run in the folder ``path``, including the classes that ``only`` excludes.

    Return None if there are no test samples. Raise ``DataError`` if the data are no longer available.
    """
    stored = open_run(path, data_dir)
    recorded = stored.environment.data
    sources = [replace(source, only=None) for source in stored.model.data if describe(source) == recorded.name]
    images = load_images(replace(stored.model, data=tuple(sources)), data_dir, reporter, recorded.data_dir, root)
    if images.test_pixels is None:
        return None
    return _part(TEST, images, images.test_pixels, None)


def _part(name: str, images: Images, pixels: Pixels, index: Tensor | None) -> PartSamples:
    places = torch.arange(len(pixels)) if index is None else index
    classes, labels = None, images.labels_of(name)
    if labels is not None:
        classes = [images.class_names[n] if images.class_names else str(n) for n in labels[places].tolist()]
    return PartSamples(
        Batches(pixels, index), [f"{name}/{images.name_of(name, place)}" for place in places.tolist()], classes
    )


def trained_on(samples: Samples, train: PartSamples, called: str) -> str | None:
    """Return how many of the samples, which the sentence calls ``called``, a run was trained on; None if none."""
    known = set(_digests(train))
    found = [samples.names[place] for place, digest in enumerate(_digests(samples)) if digest in known]
    if not found:
        return None
    return (
        f"of {called}, {len(found):,} were trained on, such as {found[0]}: these are reconstructed better than new ones"
    )


def _digests(samples: Samples) -> list[bytes]:
    """Return a checksum of each sample as the network sees it: equal for equal samples in any file."""
    return [digest(x) for _, batch in samples.batches(_BATCH) for x in batch]
