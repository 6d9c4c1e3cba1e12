"""Loading of the sources of a spec as samples for training."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from caedsl.data.errors import DataError, ReadingProgress, UnavailableError, reason, silent
from caedsl.data.files.data_folders import VARIABLE, data_folders, writable_folders
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.images import Images
from caedsl.data.pairs import find, target_request
from caedsl.data.part_reader import PartReader, ReadPart
from caedsl.data.patches import patches_of
from caedsl.data.readers.source_reader import Request, UnreadImages, confined, describe
from caedsl.data.sample_format import PATCH, SampleFormat
from caedsl.data.selection import select, selection_notes
from caedsl.data.stacks.folder_stack import groups_of, patch_notes
from caedsl.data.stacks.pixels import Span
from caedsl.data.stacks.stack import Index
from caedsl.diagnostics.text import printable
from caedsl.machine.memory import refused_beyond_available
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.vocabulary.shape import NOUNS, rank

Result = TypeVar("Result")
Missing = list[tuple[DataSource, UnavailableError]]
"""Sources that are not available, with the reasons."""

DARK = 0.125
"""Report images whose brightest pixel is below this share of the range: often 12-bit values in 16-bit files."""


def load(
    model: Autoencoder,
    data_dir: Path | None = None,
    progress: ReadingProgress = silent,
    memory: int | None = None,
    recorded: Path | None = None,
    root: Path | None = None,
) -> Images:
    """Return the samples of the first available source of the spec.

    They are kept in memory if they take at most half of the available memory (``memory`` bytes, or what the system
    reports), and otherwise read on demand. Standard files are looked up in ``data_dir``, the folder in CAEDSL_DATA and
    the user's cache, and downloaded into the first of these if none has them. ``recorded``, the folder named by a run
    folder, is looked up last. Paths of the spec, and ``recorded``, may not leave ``root``. ``only`` applies to all
    parts, and then ``limit`` to the training samples. Raise a ``DataError`` that lists what was tried if no source is
    available, or says what is wrong with the first available one.
    """
    return first_available(model, partial(loaded, memory=memory), data_dir, progress, recorded, root)


def first_available(
    model: Autoencoder,
    use: Callable[[UnreadImages, Request, Missing], Result],
    data_dir: Path | None,
    progress: ReadingProgress = silent,
    recorded: Path | None = None,
    root: Path | None = None,
    in_spec: bool = True,
) -> Result:
    """Return the result of ``use`` for the first available source of the spec, and the unavailable ones.

    ``in_spec`` is False for sources that do not come from the spec. See ``load`` for the rest.
    """
    if not model.data:
        raise DataError(f'{model.name} has no `data` line: add one, such as `data digits` or `data folder "photos"`')
    folders = data_folders(data_dir, None if recorded is None else confined(recorded, root))
    store = next(iter(writable_folders(data_dir)), None)
    missing: Missing = []
    for source in model.data:
        request = Request(source, model.folder, folders, fit_for(model, source, not in_spec), progress, root, store)
        try:
            request = replace(request, targets=wanted_of(model, request))
            with refused_beyond_available():
                return use(find(request), request, missing)
        except UnavailableError as error:
            missing.append((source, error))
        except OSError as error:
            raise DataError(f"{error.filename or describe(source)} cannot be read: {reason(error)}") from error
        except MemoryError as error:
            raise DataError(
                f"{describe(source)} does not fit into memory: save it as an uncompressed npy or idx file, which is "
                "read in blocks"
            ) from error
    raise DataError(*_nothing(model, missing, in_spec))


def fit_for(model: Autoencoder, source: DataSource, trained: bool = False) -> SampleFormat:
    """Return the format of the samples of ``source``; raise a ``DataError`` if its options do not suit the input.

    ``trained`` says that they are for a trained network, and not for training.
    """
    shape, partner = model.input.shape, model.target.shape
    fit = SampleFormat(
        shape,
        model.input.range,
        source.gray,
        PATCH if source.patches else source.resize,
        patches=patches_of(source.patches, shape[1:], partner[1:]),
        trained=trained,
    )
    if len(fit.space) not in source.kind.ranks:
        held = " or ".join(f"{NOUNS[axes]}s" for axes in source.kind.ranks)
        raise DataError(f"{describe(source)} contains {held}, but the {fit.word} {fit.input} is for {fit.noun}s")
    if source.gray and fit.channels != 1:
        raise DataError(
            f"`gray` leaves one channel, but the {fit.word} is {fit.input}: write `{fit.word} {fit.input_of(1)}`"
        )
    return fit


def wanted_of(model: Autoencoder, request: Request) -> Request | None:
    """Return the request for the targets of a source, or None if these are the samples themselves."""
    source = request.source
    differs = (model.target.shape, model.target.range) != (model.input.shape, model.input.range)
    if source.target is None and not differs:
        return None
    grey = source.gray and model.target.shape[0] == 1
    shape = model.target.shape
    patches = patches_of(source.patches, shape[1:], model.input.shape[1:])
    fit = SampleFormat(shape, model.target.range, grey, request.fit.resize, "target", differs, patches)
    return target_request(request, replace(request, fit=fit))


def _nothing(model: Autoencoder, missing: Missing, in_spec: bool) -> list[str]:
    of = "its sources" if in_spec else "the sources given"
    lines = [f"no data for {model.name}: none of {of} is available"]
    for source, error in missing:
        first, *more = error.lines
        lines += [f"  {describe(source)}: {first}", *(f"    {line}" for line in more)]
    lines.append("To continue, do one of these:")
    lines += [f"  - {remedy}" for remedy in dict.fromkeys(error.remedy for _, error in missing)]
    standard = any(source.path is None for source, _ in missing)
    if standard:
        lines.append(f"  - name the folder that contains them with --data-dir or the environment variable {VARIABLE}")
    if standard and in_spec and rank(model.input.shape) == 2:
        lines.append("  - add `else digits` to the data line of the spec: the digits need no files")
    return lines


def replacement_notes(request: Request, missing: Missing) -> list[str]:
    """Report which sources of the spec are not available, so that another one is used."""
    name = describe(request.source)
    return [
        f"using {name}, because {describe(wanted)} is not available: {'; '.join(str(error).splitlines())}"
        for wanted, error in missing
    ]


def training_index(found: UnreadImages, request: Request) -> Index:
    """Return the numbers of the training samples to use; raise a ``DataError`` if there are none."""
    source = request.source
    index = select(found.train, found.class_names, source, source.limit)
    if not len(index):
        of = "" if source.only is None else f" of class {source.only}"
        raise DataError(f"{describe(source)} contains no {request.fit.noun}s{of}")
    return index


def loaded(found: UnreadImages, request: Request, missing: Missing, memory: int | None) -> Images:
    """Return the samples of a source that was found; see ``load``."""
    reader, notes = PartReader(found, request, memory), [*replacement_notes(request, missing), *found.notes]
    parts = _read_parts(found, request, reader, notes)
    train, validation, test = parts[TRAIN], parts.get(VALIDATION), parts.get(TEST)
    weights = None if found.train.weights is None else torch.from_numpy(found.train.weights[train.samples.index])
    notes += [*patch_notes(found.train, train.samples.index), *weight_notes(weights, request.fit.noun)]
    return Images(
        train_pixels=train.samples.pixels,
        validation_pixels=validation.samples.pixels if validation else None,
        test_pixels=test.samples.pixels if test else None,
        train_targets=train.targets,
        validation_targets=validation.targets if validation else None,
        test_targets=test.targets if test else None,
        labels=train.labels,
        validation_labels=validation.labels if validation else None,
        test_labels=test.labels if test else None,
        class_names=found.class_names,
        names={part: read.names for part, read in parts.items() if read.names is not None},
        weights=weights,
        groups=groups_of(found.train, train.samples.index),
        source=request.source,
        name=describe(request.source),
        notes=tuple(map(printable, notes)),
        skipped=tuple(printable(skip) for read in parts.values() for skip in read.samples.skipped),
        sha256=_with_weights(reader.sha256, weights),
        part_sha256={part: read.samples.sha256 for part, read in parts.items() if part != TRAIN},
    )


def _read_parts(found: UnreadImages, request: Request, reader: PartReader, notes: list[str]) -> dict[str, ReadPart]:
    """Read the samples of each part, training samples first, and add notes on them to ``notes``."""
    source, noun = request.source, request.fit.noun
    index = training_index(found, request)
    train = reader.read(TRAIN, index)
    notes += selection_notes(source, len(index), len(found.train), noun)
    notes += [*train.samples.notes, *darkness(train.samples.pixels.span(), request.fit)]
    parts = {TRAIN: train}
    for part, stack in ((VALIDATION, found.validation), (TEST, found.test)):
        if stack is None:
            continue
        chosen = select(stack, found.class_names, source)
        if len(chosen):
            parts[part] = reader.read(part, chosen)
            notes += [f"{part}: {note}" for note in parts[part].samples.notes if note not in notes]
        else:
            notes.append(f"no {part} {noun}s are left")
    return parts


def weight_notes(weights: Tensor | None, noun: str) -> list[str]:
    """Report the range of the weights of samples, if they have weights."""
    if weights is None:
        return []
    return [
        f"each {noun} has a weight in the loss, {weights.min():g} to {weights.max():g}; the metrics of an evaluation "
        "are unweighted"
    ]


def _with_weights(checksum: str, weights: Tensor | None) -> str:
    return checksum if weights is None else sha256(checksum.encode() + weights.numpy().tobytes()).hexdigest()


def darkness(span: Span, fit: SampleFormat) -> list[str]:
    """Report samples whose smallest and largest values use little of the input's range."""
    _, brightest = span
    if not fit.range.bounded or brightest >= fit.low + DARK * (fit.high - fit.low):
        return []
    if fit.noun != "image":
        return [f"the {fit.noun}s use little of the range: no value is above {brightest:.3g} of {fit.range}"]
    return [f"the images are dark: no pixel is brighter than {brightest:.3g} of {fit.range}"]
