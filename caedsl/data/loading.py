"""From the sources of a spec to images that are ready to train on."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from caedsl.data.data_folders import VARIABLE, data_folders
from caedsl.data.fit import Fit
from caedsl.data.images import DataError, Images, Progress, UnavailableError, silent
from caedsl.data.selection import select, selection_notes
from caedsl.data.source_reader import Found, Request, describe, reason
from caedsl.data.sources import READERS
from caedsl.data.stack import Digest, Index, Stack
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource

_BLOCK_BYTES = 1 << 24
_DARK = 0.125
"""Images whose brightest pixel stays below this share of the range are often 12-bit values in 16-bit files."""


def load(model: Autoencoder, data_dir: Path | None = None, progress: Progress = silent) -> Images:
    """The images of the first source of the spec that is available, as one tensor a part.

    Standard files are looked for in ``data_dir``, the folder that CAEDSL_DATA names and the user's cache, and
    downloaded into the first of these where they are in none. ``only`` is applied before ``limit``, and both to
    training and test images alike. A ``DataError`` says what was tried where no source is available, or what is wrong
    with the one that is.
    """
    if not model.data:
        raise DataError(f'{model.name} has no `data` line: add one, such as `data digits` or `data folder "photos"`')
    folders = data_folders(data_dir)
    missing: list[tuple[DataSource, UnavailableError]] = []
    for source in model.data:
        request = Request(source, model.folder, folders, _fit(model, source), progress)
        try:
            return _loaded(READERS[source.name](request), request, missing)
        except UnavailableError as error:
            missing.append((source, error))
        except OSError as error:
            raise DataError(f"{error.filename or describe(source)} cannot be read: {reason(error)}") from error
        except MemoryError as error:
            raise DataError(
                f"too little memory to read {describe(source)}: an npy file is read piece by piece"
            ) from error
    raise DataError(_nothing(model, missing))


def _fit(model: Autoencoder, source: DataSource) -> Fit:
    channels, height, width = model.input.shape
    fit = Fit(channels, height, width, model.input.range, source.gray, source.resize)
    if source.gray and channels != 1:
        raise DataError(f"`gray` leaves one channel, and the input is {fit.input}: write `input 1x{height}x{width}`")
    return fit


def _nothing(model: Autoencoder, missing: Sequence[tuple[DataSource, UnavailableError]]) -> str:
    lines = [f"no data for {model.name}: none of its sources is available"]
    for source, error in missing:
        first, *more = str(error).splitlines()
        lines += [f"  {describe(source)}: {first}", *(f"    {line}" for line in more)]
    lines.append("Ways to go on:")
    lines += [f"  - {remedy}" for remedy in dict.fromkeys(error.remedy for _, error in missing)]
    if any(source.path is None for source, _ in missing):
        lines.append(f"  - name the folder that holds them: --data-dir FOLDER, or the environment variable {VARIABLE}")
    lines.append("  - add `else digits` to the data line of the spec: these need no files")
    return "\n".join(lines)


def _loaded(found: Found, request: Request, missing: Sequence[tuple[DataSource, UnavailableError]]) -> Images:
    source, name, digest = request.source, describe(request.source), hashlib.sha256()
    notes = [
        f"{name} is used instead of {describe(wanted)}, which is not available: {'; '.join(str(error).splitlines())}"
        for wanted, error in missing
    ]
    index = select(found.train, found.class_names, source)
    if not len(index):
        raise DataError(f"{name} holds no images{'' if source.only is None else f' of class {source.only}'}")
    train = _read(found.train, index, request, digest)
    notes += [*found.notes, *selection_notes(source, len(index), len(found.train)), *found.train.conclude()]
    notes += _darkness(train, request.fit)
    test = test_labels = None
    if found.test is not None:
        chosen = select(found.test, found.class_names, source)
        if len(chosen):
            test, test_labels = _read(found.test, chosen, request, digest), _labels(found.test, chosen)
            notes += [f"test: {note}" for note in found.test.conclude() if note not in notes]
        else:
            notes.append("no test images are left")
    labels, sha256 = _labels(found.train, index), digest.hexdigest()
    return Images(train, test, labels, test_labels, found.class_names, source, name, tuple(notes), sha256)


def _labels(stack: Stack, index: Index) -> Tensor | None:
    return None if stack.labels is None else torch.from_numpy(stack.labels[index])


def _darkness(x_bchw: Tensor, fit: Fit) -> list[str]:
    brightest = x_bchw.max().item()
    if not fit.range.bounded or brightest >= fit.low + _DARK * (fit.high - fit.low):
        return []
    return [f"the images are dark: no pixel is brighter than {brightest:.3g} of {fit.range}"]


def _read(stack: Stack, index: Index, request: Request, digest: Digest) -> Tensor:
    image_bytes = 4 * request.fit.channels * request.fit.height * request.fit.width
    x_bchw = _allocate(len(index), image_bytes, request.fit)
    block = max(1, _BLOCK_BYTES // image_bytes)
    for start in range(0, len(index), block):
        part = index[start : start + block]
        x_bchw[start : start + len(part)] = stack.read(part, digest)
        request.progress(f"reading {describe(request.source)}", start + len(part), len(index), "images")
    return x_bchw


def _allocate(count: int, image_bytes: int, fit: Fit) -> Tensor:
    needed, memory = count * image_bytes, _memory()
    if memory is None or needed <= memory:
        try:
            return torch.empty(count, fit.channels, fit.height, fit.width)
        except RuntimeError:
            memory = None
    there = "more than there is" if memory is None else f"and this machine has {memory / 1e9:.1f} GB"
    fewer = max(1, (memory or needed) // (2 * image_bytes))
    raise DataError(
        f"{count:,} images of {fit.input} take {needed / 1e9:.1f} GB of memory, {there}: "
        f"add `limit={fewer}` to the source, or make the input smaller"
    )


def _memory() -> int | None:
    """The machine's memory in bytes, None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
