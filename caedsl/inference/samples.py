"""Input samples for a trained run, with names: from an array, a file, a folder or a data line."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError, silent
from caedsl.data.files.data_folders import data_folders
from caedsl.data.files.file_listing import file_names
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.finite import refuse_not_finite
from caedsl.data.first_reading import pieces
from caedsl.data.loading import first_available, fit_for
from caedsl.data.readers.folder import images_in
from caedsl.data.readers.part_folders import classes_of
from caedsl.data.readers.source_reader import Request, UnreadImages, describe
from caedsl.data.sample_format import SampleFormat
from caedsl.data.sample_names import sample_names
from caedsl.data.selection import select
from caedsl.data.sources import reader_of
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.picture_stack import check_input
from caedsl.data.stacks.prefetch import ahead, workers
from caedsl.data.stacks.stack import Array, Index, Stack
from caedsl.diagnostics.text import text_of_path
from caedsl.inference.data_line import with_data_line
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.sources import SOURCES


class Samples(ABC):
    """Samples in a fixed order, read on demand.

    ``labels`` are class names, or None without labels. ``files`` are the image files of the samples, or None if they
    come from an array.
    """

    names: Sequence[str]
    labels: Sequence[str] | None = None
    files: Sequence[Path] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def batches(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield the positions and the values of each batch, float32 in the input's range.

        Raise a ``DataError`` that names each sample that cannot be used.
        """

    def notes(self) -> Sequence[str]:
        """Return notes on the samples of the last reading, such as that parts of them were cut off."""
        return ()


@dataclass(frozen=True)
class StackSamples(Samples):
    """Samples of a stack with the numbers ``index``, by default all."""

    stack: Stack
    names: Sequence[str]
    index: Index | None = None
    labels: Sequence[str] | None = None
    files: Sequence[Path] | None = None
    _remarks: Counter[str] = field(default_factory=Counter)

    def batches(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """See ``Samples``; a few batches are prefetched, unless reading them is mere copying."""
        places = [slice(start, min(start + size, len(self))) for start in range(0, len(self), size)]

        def read(place: slice) -> tuple[slice, Tensor, Sequence[str]]:
            numbers = np.arange(place.start, place.stop) if self.index is None else self.index[place]
            block = self.stack.read(numbers)
            return place, self.stack.scale(block.values), block.remarks

        self._remarks.clear()
        # Handing a batch over from another thread takes longer than copying it.
        blocks = map(read, places) if self.stack.ready else ahead(read, places, most=1 + workers())
        for place, values, remarks in blocks:
            self._remarks.update(remarks)
            yield place, values

    def notes(self) -> Sequence[str]:
        """See ``Samples``."""
        # Grey images for a coloured input are an error only of training data.
        with suppress(DataError):
            return self.stack.conclude(self._remarks, len(self))
        return ()


class Joined(Samples):
    """Concatenated samples of several parts; samples of a part without labels get empty ones."""

    def __init__(self, parts: Sequence[Samples]) -> None:
        self.parts = parts
        self.names = [name for part in parts for name in part.names]
        labels = [label for part in parts for label in part.labels or [""] * len(part)]
        self.labels = labels if any(labels) else None
        files = [file for part in parts for file in part.files or ()]
        self.files = files if len(files) == len(self.names) else None

    def batches(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """See ``Samples``; a batch never spans two parts."""
        before = 0
        for part in self.parts:
            for place, values in part.batches(size):
                yield slice(before + place.start, before + place.stop), values
            before += len(part)

    def notes(self) -> Sequence[str]:
        """See ``Samples``."""
        return [note for part in self.parts for note in part.notes()]


def from_array(pixels: Array, model: Autoencoder, name: str = "the array") -> Samples:
    """Return the samples of an array N × space, N × space × C or N × C × space, named by their position.

    Integers are scaled as in files. The value of white is the one that the run's source states; if that source reads
    image files, it applies only to integers of more than 8 bits.
    """
    own, fit = own_source(model), fit_for(model, own_source(model), trained=True)
    wide = pixels.dtype.kind in "iu" and pixels.dtype.itemsize > 1
    white = own.white if wide or own.kind.arrays else None
    stack = ArrayStack(pixels, layout(pixels.shape, fit, name, own.layout), fit, name, white=white)
    return StackSamples(stack, [str(place) for place in range(len(pixels))])


def tensor_batches(x: Tensor, fit: SampleFormat, size: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield the positions and the values of each batch of a tensor in the input's range, as float32.

    Raise ``ValueError`` for another shape, and ``DataError`` for NaN, infinity, or numbers on another scale: integers
    outside the range, and real numbers that are further outside than its width, which noise does not reach.
    """
    if tuple(x.shape[1:]) != fit.shape:
        raise ValueError(f"samples are N x {fit.input}, but this tensor is {text(tuple(x.shape))}")
    refuse_not_finite(x, "the tensor", fit.noun)
    if x.numel() and fit.range.bounded and x.dtype != torch.bool:
        low, high = (value.item() for value in x.aminmax())
        kind, beyond = ("numbers", fit.high - fit.low) if x.is_floating_point() else ("integers", 0)
        if low < fit.low - beyond or high > fit.high + beyond:
            raise DataError(
                f"the tensor has {kind} from {low:.6g} to {high:.6g}, outside {fit.range}: convert them to the input's "
                "range, or pass an array of integers, which are scaled as in files"
            )
    for start in range(0, len(x), size):
        part = x[start : start + size].float()
        yield slice(start, start + len(part)), part


def refuse_empty_batches(size: int) -> None:
    """Raise ``ValueError`` for a batch size below 1."""
    if size < 1:
        raise ValueError(f"batch is {size}: a batch has at least 1 sample")


def from_path(path: Path, model: Autoencoder) -> Samples:
    """Return the samples of an image file, a folder of images, or an ``npy``, ``npz`` or ``idx`` file.

    Tables, sounds, volumes and Parquet files are read in the same way as by the run's own source. Names are relative to
    the folder. If all images of a folder are in subfolders, these are the labels.
    """
    own = own_source(model)
    if is_configured(path, model):
        given = replace(own, path=str(path.absolute()), limit=None, only=None, validation=None, test=None, weights=None)
        return _source(given, model)
    if path.is_dir():
        return _folder(path, model)
    if kind := array_kind(path):
        return _source(
            DataSource(
                kind,
                str(path.absolute()),
                gray=own.gray,
                resize=own.resize,
                white=own.white,
                layout=own.layout,
                patches=own.patches,
            ),
            model,
        )
    if not path.exists():
        raise DataError(f"{path} does not exist: name an image, a folder of images, or an npy, npz or idx file")
    return from_files([path], path.parent, model)


def is_configured(path: Path, model: Autoencoder) -> bool:
    """Return whether a file or a folder is read by the run's own kind of source, with the options of its line."""
    kind = own_source(model).kind
    is_own = path.name.lower().endswith(kind.endings) or (path.is_dir() and kind.folders)
    return kind.configured and bool(is_own)


def from_files(paths: Sequence[Path], root: Path, model: Autoencoder) -> StackSamples:
    """Return the samples of image files; names of files in the folder ``root`` are relative to it."""
    fit = fit_for(model, own_source(model), trained=True)
    check_input(fit)
    stack = FolderStack(paths, root, fit, white=own_source(model).white)
    return StackSamples(stack, file_names(paths, root), files=paths)


def folder_labels(paths: Sequence[Path]) -> list[str]:
    """Return the labels of image files that are listed one by one: the name of the folder of each."""
    return [text_of_path(path.absolute().parent.name) for path in paths]


def from_line(line: str, model: Autoencoder, data_dir: Path | None = None) -> Samples:
    """Return the samples of all parts of a data line; if there are several parts, names begin with the part."""
    return first_available(
        with_data_line(model, line), lambda unread, request, _: _samples(unread, request), data_dir, in_spec=False
    )


def own_source(model: Autoencoder) -> DataSource:
    """Return the source whose options describe how the run's data are read: its first, or one of any rank."""
    return model.data[0] if model.data else DataSource("npy")


def _folder(root: Path, model: Autoencoder) -> Samples:
    paths = images_in(root, None, [])
    if not paths:
        raise DataError(f"{root} contains no images (.png, .jpg and so on)")
    return replace(from_files(paths, root, model), labels=classes_of(paths.names, root, []))


def _source(source: DataSource, model: Autoencoder, data_dir: Path | None = None) -> Samples:
    fit = fit_for(model, source, trained=True)
    request = Request(source, model.folder, data_folders(data_dir), fit, silent, labels_required=False)
    return _samples(reader_of(source.name)(request), request)


def _samples(unread: UnreadImages, request: Request) -> Samples:
    parts = {TRAIN: unread.train, VALIDATION: unread.validation, TEST: unread.test}
    present = {name: stack for name, stack in parts.items() if stack is not None}
    samples = [_part(stack, unread, request, f"{name}/" if len(present) > 1 else "") for name, stack in present.items()]
    return samples[0] if len(samples) == 1 else Joined(samples)


def _part(stack: Stack, unread: UnreadImages, request: Request, prefix: str) -> StackSamples:
    source = request.source
    index = select(stack, unread.class_names, source, source.limit if stack is unread.train else None)
    if source.skip is not None:
        index = np.concatenate([index[:0], *(piece.index for piece in pieces(stack, index, request.fit))])
    if not len(index):
        raise DataError(f"{describe(source)} contains no usable {request.fit.noun}s")
    labels = None
    if stack.labels is not None:
        classes = stack.labels[index].tolist()
        labels = [unread.class_names[n] if unread.class_names else str(n) for n in classes]
    files = None
    if isinstance(stack, FolderStack) and stack.decode is None:
        files = [stack.file_of(number) for number in index.tolist()]
    names = [prefix + name for name in sample_names(stack, index)]
    return StackSamples(stack, names, index, labels, files)


def array_kind(path: Path) -> str | None:
    """Return the source that reads a file of arrays, by its ending, or None."""
    kinds = (kind for kind in SOURCES.values() if kind.endings and not kind.configured)
    return next((kind.name for kind in kinds if path.name.lower().endswith(kind.endings)), None)
