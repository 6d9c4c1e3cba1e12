"""Survey of a spec's data: the contents of each part and their problems, before training."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from caedsl.data.errors import DataError, ReadingProgress, silent
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.first_reading import pieces
from caedsl.data.loading import Missing, darkness, first_available, replacement_notes, training_index
from caedsl.data.near_duplicates import Thumbnails, nearly_equal, thumbnails, too_many, usual_distance
from caedsl.data.readers.source_reader import Request, UnreadImages, describe
from caedsl.data.sample_format import SampleFormat
from caedsl.data.sample_names import sample_names
from caedsl.data.selection import select, selection_notes
from caedsl.data.split import draw_split
from caedsl.data.stacks.folder_stack import groups_of, patch_notes
from caedsl.data.stacks.stack import Index, Stack
from caedsl.diagnostics.text import printable
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import Sizes, text

SHOWN = 6
"""Keep this many samples of each part for a picture."""
_DIGEST_BYTES = 12


@dataclass(frozen=True)
class PartSurvey:
    """Survey of one part of the data.

    ``classes`` counts the samples by class (empty without labels), and ``sizes`` by their stored size. ``low``,
    ``high``, ``mean`` and ``deviation`` are statistics of the values in the input's range. ``shown`` are a few samples.
    """

    part: str
    samples: int
    classes: Mapping[str, int]
    sizes: Mapping[Sizes, int]
    low: float
    high: float
    mean: float
    deviation: float
    shown: Tensor
    shown_names: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON for ``caedsl data --json``."""
        return {
            "part": self.part,
            "samples": self.samples,
            "classes": dict(self.classes),
            "sizes": {text(size): count for size, count in self.sizes.items()},
            "low": self.low,
            "high": self.high,
            "mean": self.mean,
            "deviation": self.deviation,
        }


@dataclass(frozen=True)
class Survey:
    """Survey of the data of a spec.

    ``targets`` are surveys of the targets of each part that has them, with the same names. ``duplicates`` are groups of
    samples of different parts that are equal for the network, with their parts and names; ``near_duplicates`` are pairs
    of samples that hardly differ. ``unreadable`` describes each file that cannot be used, and ``left_out`` is True if
    the spec skips such files.
    """

    source: str
    fit: SampleFormat
    parts: Sequence[PartSurvey]
    targets: Sequence[PartSurvey]
    duplicates: Sequence[Sequence[tuple[str, str]]]
    near_duplicates: Sequence[Sequence[tuple[str, str]]]
    unreadable: Sequence[str]
    left_out: bool
    notes: Sequence[str]

    @property
    def fine(self) -> bool:
        """Whether training would accept all data, and evaluate only on unseen samples."""
        return not self.duplicates and (self.left_out or not self.unreadable)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON for ``caedsl data --json``."""
        groups, near = (
            [[{"part": part, "name": name} for part, name in group] for group in found]
            for found in (self.duplicates, self.near_duplicates)
        )
        return {
            "source": self.source,
            "input": self.fit.input,
            "range": str(self.fit.range),
            "parts": [part.as_json() for part in self.parts],
            "targets": [part.as_json() for part in self.targets],
            "duplicates": groups,
            "near_duplicates": near,
            "unreadable": list(self.unreadable),
            "notes": list(self.notes),
        }


def survey(
    model: Autoencoder,
    validation: float,
    data_dir: Path | None = None,
    progress: ReadingProgress = silent,
    root: Path | None = None,
) -> Survey:
    """Read all samples of the first available source of the spec once, and keep only a few of them.

    ``validation`` is the share of the training samples that is held out if the source has no validation part. Raise a
    ``DataError`` if there is nothing to read.
    """
    return first_available(model, partial(_surveyed, validation=validation), data_dir, progress, root=root)


@dataclass
class _Readings:
    """Statistics of the samples of a stack, one number per sample; ``good`` are the numbers of readable ones."""

    stack: Stack
    good: list[int] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)
    sizes: list[Sizes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    small: list[Thumbnails] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, numbers: Index, x: Tensor, sizes: Sequence[Sizes]) -> None:
        """Add a block of samples in the input's range."""
        flat = x.flatten(1).double()
        self.good += numbers.tolist()
        self.lows += flat.amin(1).tolist()
        self.highs += flat.amax(1).tolist()
        self.sums += flat.mean(1).tolist()
        self.squares += flat.square().mean(1).tolist()
        self.sizes += sizes
        self.digests += [digest(sample) for sample in x]
        self.small.append(thumbnails(x))

    def sample(self, place: int) -> Tensor:
        """Read the readable sample at a position again."""
        return self.stack.scale(self.stack.read(np.array([self.good[place]])).values)[0]

    def part(self, name: str, places: NDArray[np.int64], class_names: Sequence[str]) -> PartSurvey:
        """Return the survey of the readable samples at these positions."""
        numbers = np.array(self.good, np.int64)[places]
        mean = float(np.array(self.sums)[places].mean())
        spread = max(0.0, float(np.array(self.squares)[places].mean()) - mean**2)
        classes: dict[str, int] = {}
        if self.stack.labels is not None:
            labels, counts = np.unique(self.stack.labels[numbers], return_counts=True)
            names = [class_names[label] if class_names else str(label) for label in labels.tolist()]
            classes = dict(zip(names, counts.tolist(), strict=True))
        chosen = numbers[np.unique(np.linspace(0, len(numbers) - 1, SHOWN).round().astype(np.int64))]
        return PartSurvey(
            name,
            len(numbers),
            classes,
            dict(Counter(self.sizes[place] for place in places.tolist()).most_common()),
            float(np.array(self.lows)[places].min()),
            float(np.array(self.highs)[places].max()),
            mean,
            spread**0.5,
            self.stack.scale(self.stack.read(chosen).values),
            sample_names(self.stack, chosen),
        )


def digest(x: Tensor) -> bytes:
    """Return a checksum of a sample as the network sees it: equal for equal samples in any file."""
    return blake2b(x.contiguous().cpu().numpy().tobytes(), digest_size=_DIGEST_BYTES).digest()


def _surveyed(found: UnreadImages, request: Request, missing: Missing, validation: float) -> Survey:
    source = request.source
    index = training_index(found, request)
    notes = [*replacement_notes(request, missing), *found.notes]
    notes += selection_notes(source, len(index), len(found.train), request.fit.noun)
    if request.targets is not None:
        notes.append(f"each {request.fit.noun} has a target of {request.targets.fit.input}")
    train = _read(found.train, index, request, notes)
    if not train.good:
        first = next(iter(train.broken.values()))
        raise DataError(f"no {request.fit.noun} of {describe(source)} can be used; the first problem: {first}")
    notes += patch_notes(found.train, np.array(train.good, np.int64))
    read = {TRAIN: (train, np.arange(len(train.good)))}
    for name, stack in ((VALIDATION, found.validation), (TEST, found.test)):
        if stack is not None:
            of_part: list[str] = []
            readings = _read(stack, select(stack, found.class_names, source), request, of_part)
            notes += [f"{name}: {note}" for note in of_part if note not in notes]
            read[name] = (readings, np.arange(len(readings.good)))
    if found.validation is None and validation and len(train.good) > 1:
        groups = groups_of(found.train, np.array(train.good, np.int64))
        learned, held_out = (part.numpy() for part in draw_split(len(train.good), validation, groups=groups))
        read = {TRAIN: (train, learned), VALIDATION: (train, held_out), **{k: v for k, v in read.items() if k != TRAIN}}
        notes.append(f"{100 * validation:.3g} % of the training {request.fit.noun}s are held out for validation")
    parts = [of.part(name, places, found.class_names) for name, (of, places) in read.items() if len(places)]
    targets = _targets(found.targets, request.targets, read, notes)
    notes += darkness((0.0, max(train.highs)), request.fit)
    stacks = {id(of): of for of, _ in (*read.values(), *targets.values())}.values()
    return Survey(
        describe(source),
        request.fit,
        parts,
        [of.part(name, places, ()) for name, (of, places) in targets.items() if len(places)],
        _duplicates(read),
        list(_near_duplicates(read, notes)),
        [printable(reason) for of in stacks for reason in dict.fromkeys(of.broken.values())],
        source.skip == "broken",
        [printable(note) for note in dict.fromkeys(notes)],
    )


def _read(stack: Stack, index: Index, request: Request, notes: list[str]) -> _Readings:
    readings = _Readings(stack)
    task, noun = f"reading {describe(request.source)}", f"{request.fit.noun}s"
    for piece in pieces(stack, index, request.fit):
        readings.broken |= piece.broken
        if piece.block is not None:
            readings.add(piece.index, stack.scale(piece.block.values), piece.block.sizes)
            readings.remarks.update(piece.block.remarks)
        request.progress(task, len(readings.good) + len(readings.broken), len(index), noun)
    if readings.good:
        notes += stack.conclude(readings.remarks, len(readings.good))
    return readings


def _targets(
    found: UnreadImages | None,
    request: Request | None,
    read: Mapping[str, tuple[_Readings, NDArray[np.int64]]],
    notes: list[str],
) -> dict[str, tuple[_Readings, NDArray[np.int64]]]:
    """Return the statistics of the targets of the readable samples of each part."""
    if found is None or request is None:
        return {}
    stacks = {TRAIN: found.train, VALIDATION: found.validation or found.train, TEST: found.test}
    made: dict[str, tuple[_Readings, NDArray[np.int64]]] = {}
    for name, (of, places) in read.items():
        stack = stacks[name]
        if stack is not None:
            readings = _read(stack, np.array(of.good, np.int64)[places], request, notes)
            made[name] = readings, np.arange(len(readings.good))
    return made


def _duplicates(read: Mapping[str, tuple[_Readings, NDArray[np.int64]]]) -> list[list[tuple[str, str]]]:
    """Return the groups of equal samples in several parts."""
    places: dict[bytes, list[tuple[str, int]]] = {}
    for part, (readings, chosen) in read.items():
        for place in chosen.tolist():
            places.setdefault(readings.digests[place], []).append((part, readings.good[place]))
    groups = [group for group in places.values() if len({part for part, _ in group}) > 1]
    return [
        [(part, sample_names(read[part][0].stack, np.array([number]))[0]) for part, number in group] for group in groups
    ]


def _near_duplicates(
    read: Mapping[str, tuple[_Readings, NDArray[np.int64]]], notes: list[str]
) -> Iterator[list[tuple[str, str]]]:
    """Yield pairs of nearly equal samples of two parts."""
    small = {part: np.concatenate(of.small)[places] for part, (of, places) in read.items() if len(places)}
    usual = usual_distance(small[TRAIN])
    for pair in combinations(small, 2):
        if too_many(small[pair[0]], small[pair[1]]):
            notes.append(f"{' and '.join(pair)} were not compared for nearly equal samples: there are too many")
            continue

        def sample(*places: int, pair: tuple[str, str] = pair) -> tuple[Tensor, Tensor]:
            first, second = (read[part][0].sample(read[part][1][at]) for part, at in zip(pair, places, strict=True))
            return first, second

        for places in nearly_equal(small[pair[0]], small[pair[1]], usual, sample):
            yield [(part, _name(read[part], at)) for part, at in zip(pair, places, strict=True)]


def _name(of: tuple[_Readings, NDArray[np.int64]], place: int) -> str:
    readings, places = of
    return sample_names(readings.stack, np.array([readings.good[places[place]]]))[0]
