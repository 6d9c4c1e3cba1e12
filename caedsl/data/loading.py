"""Loading of the sources of a spec as samples for training."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import DataError, ReadingProgress, UnavailableError, silent
from caedsl.data.files.data_folders import VARIABLE, data_folders, writable_folders
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.first_reading import FirstReading, ReadSamples
from caedsl.data.fit import PATCH, SampleFormat
from caedsl.data.images import Images
from caedsl.data.names import names_of
from caedsl.data.pairs import find, target_request
from caedsl.data.patches import patches_of
from caedsl.data.readers.source_reader import Request, UnreadImages, confined, describe, reason
from caedsl.data.selection import select, selection_notes
from caedsl.data.stacks.folder_stack import groups_of, patch_notes
from caedsl.data.stacks.pixels import Pixels, Span
from caedsl.data.stacks.stack import Index, Stack
from caedsl.diagnostics.text import printable
from caedsl.machine.memory import refused_beyond_available
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.vocabulary.shape import NOUNS, rank

Result = TypeVar("Result")
Missing = list[tuple[DataSource, UnavailableError]]
"""Sources that are not available, with the reasons."""

_UNEVEN = 4
"""Report inputs and targets whose value ranges differ by more than this factor."""
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
        request = Request(source, model.folder, folders, fit_for(model, source), progress, root, store)
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
    raise DataError(_nothing(model, missing, in_spec))


def fit_for(model: Autoencoder, source: DataSource) -> SampleFormat:
    """Return the format of the samples of ``source``; raise a ``DataError`` if its options do not suit the input."""
    shape, partner = model.input.shape, model.target.shape
    fit = SampleFormat(
        shape,
        model.input.range,
        source.gray,
        PATCH if source.patches else source.resize,
        patches=patches_of(source.patches, shape[1:], partner[1:]),
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


def _nothing(model: Autoencoder, missing: Missing, in_spec: bool) -> str:
    of = "its sources" if in_spec else "the sources given"
    lines = [f"no data for {model.name}: none of {of} is available"]
    for source, error in missing:
        first, *more = str(error).splitlines()
        lines += [f"  {describe(source)}: {first}", *(f"    {line}" for line in more)]
    lines.append("To continue, do one of these:")
    lines += [f"  - {remedy}" for remedy in dict.fromkeys(error.remedy for _, error in missing)]
    standard = any(source.path is None for source, _ in missing)
    if standard:
        lines.append(f"  - name the folder that contains them with --data-dir or the environment variable {VARIABLE}")
    if standard and in_spec and rank(model.input.shape) == 2:
        lines.append("  - add `else digits` to the data line of the spec: the digits need no files")
    return "\n".join(lines)


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
    source, name, first_reading = request.source, describe(request.source), FirstReading(request, memory)
    answers = None if request.targets is None else FirstReading(request.targets, memory)
    notes, index = replacement_notes(request, missing), training_index(found, request)
    train, targets = _read(found.train, _targets_of(found, TRAIN), index, first_reading, answers)
    notes += [*found.notes, *selection_notes(source, len(index), len(found.train), request.fit.noun), *train.notes]
    notes += darkness(train.pixels.span(), request.fit)
    parts: dict[str, ReadSamples] = {}
    part_targets: dict[str, Pixels | None] = {}
    for part, stack in ((VALIDATION, found.validation), (TEST, found.test)):
        if stack is None:
            continue
        chosen = select(stack, found.class_names, source)
        if len(chosen):
            parts[part], part_targets[part] = _read(stack, _targets_of(found, part), chosen, first_reading, answers)
            notes += [f"{part}: {note}" for note in parts[part].notes if note not in notes]
        else:
            notes.append(f"no {part} {request.fit.noun}s are left")
    validation, test = parts.get(VALIDATION), parts.get(TEST)
    named = [
        (part, names_of(stack, taken.index))
        for part, stack, taken in (
            (TRAIN, found.train, train),
            (VALIDATION, found.validation, validation),
            (TEST, found.test, test),
        )
        if stack is not None and taken is not None
    ]
    notes += patch_notes(found.train, train.index)
    weights = None if found.train.weights is None else torch.from_numpy(found.train.weights[train.index])
    checksum = first_reading.sha256 if answers is None else _joined(first_reading.sha256, answers.sha256)
    if weights is not None:
        checksum = sha256(checksum.encode() + weights.numpy().tobytes()).hexdigest()
        notes.append(
            f"each {request.fit.noun} has a weight in the loss, {weights.min():g} to {weights.max():g}; the metrics of "
            "an evaluation are unweighted"
        )
    return Images(
        train_pixels=train.pixels,
        test_pixels=test.pixels if test else None,
        labels=_labels(found.train, train.index),
        test_labels=_labels(found.test, test.index) if found.test is not None and test else None,
        class_names=found.class_names,
        source=source,
        name=name,
        notes=tuple(map(printable, notes)),
        sha256=checksum,
        part_sha256={part: taken.sha256 for part, taken in parts.items()},
        validation_pixels=validation.pixels if validation else None,
        weights=weights,
        groups=groups_of(found.train, train.index),
        names={part: names for part, names in named if names is not None},
        train_targets=targets,
        validation_targets=part_targets.get(VALIDATION),
        test_targets=part_targets.get(TEST),
        validation_labels=_labels(found.validation, validation.index) if found.validation and validation else None,
        skipped=tuple(map(printable, (*train.skipped, *(skip for taken in parts.values() for skip in taken.skipped)))),
    )


def _targets_of(found: UnreadImages, part: str) -> Stack | None:
    stack: Stack | None = getattr(found.targets, part, None)
    return stack


def _read(
    stack: Stack, targets: Stack | None, index: Index, first_reading: FirstReading, answers: FirstReading | None
) -> tuple[ReadSamples, Pixels | None]:
    """Read samples, and their targets if there are any; skip a pair if one of the two is broken."""
    taken = first_reading.read(stack, index)
    if targets is None or answers is None:
        return taken, None
    wanted = answers.read(targets, taken.index)
    kept = np.isin(taken.index, wanted.index)
    notes = (
        *taken.notes,
        *(f"targets: {note}" for note in wanted.notes),
        *_uneven(taken.pixels, wanted.pixels, answers),
    )
    pixels = taken.pixels if kept.all() else taken.pixels.only(torch.from_numpy(np.flatnonzero(kept)))
    skipped = (*taken.skipped, *wanted.skipped)
    return ReadSamples(pixels, wanted.index, notes, skipped, _joined(taken.sha256, wanted.sha256)), wanted.pixels


def _joined(inputs: str, targets: str) -> str:
    return sha256((inputs + targets).encode()).hexdigest()


def _uneven(inputs: Pixels, targets: Pixels, answers: FirstReading) -> list[str]:
    """Report inputs and targets of one declared range that use parts of it with very different widths."""
    if answers.request.fit.declared:
        return []
    (low, high), (least, most) = inputs.span(), targets.span()
    if max(high - low, most - least) <= _UNEVEN * min(high - low, most - least):
        return []
    return [
        f"inputs and targets differ in range: inputs have values of {low:.3g}..{high:.3g}, targets of "
        f"{least:.3g}..{most:.3g}; scale both in the same way, or declare the range of the targets with `target`"
    ]


def _labels(stack: Stack, index: Index) -> Tensor | None:
    return None if stack.labels is None else torch.from_numpy(stack.labels[index])


def darkness(span: Span, fit: SampleFormat) -> list[str]:
    """Report samples whose smallest and largest values use little of the input's range."""
    _, brightest = span
    if not fit.range.bounded or brightest >= fit.low + DARK * (fit.high - fit.low):
        return []
    if fit.noun != "image":
        return [f"the {fit.noun}s use little of the range: no value is above {brightest:.3g} of {fit.range}"]
    return [f"the images are dark: no pixel is brighter than {brightest:.3g} of {fit.range}"]
