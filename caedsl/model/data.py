"""Where samples come from, as a spec declares it; ``caedsl.data`` reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from caedsl.source import Span
from caedsl.vocabulary.preprocessings import PREPROCESSINGS, PreprocessingKind
from caedsl.vocabulary.source_kind import SourceKind
from caedsl.vocabulary.sources import SOURCES


@dataclass(frozen=True)
class DataSource:
    """One source of samples.

    ``name`` is a source of the vocabulary. ``path`` is as written, relative to the folder of the spec. ``key`` names
    the array of an npz, or the column of paths of a manifest. ``gray`` averages colours, ``limit`` is the number of
    training images to draw, and ``resize`` is ``stretch``, ``fit`` or ``crop``. ``labels`` is the path of a file with
    one label per image (npy or idx) or, for an npz, the key of that array; ``weights`` says in the same form where the
    weight of each image is. ``target`` is where the targets are, in the form of the source itself. ``normalize`` is the
    preprocessing that the network begins with and undoes at its end. ``only`` keeps the images of one class: a number,
    or a folder's name. ``white`` is the stored value that becomes the high end of the range. ``skip`` is ``broken`` if
    files that cannot be decoded are skipped. ``layout`` is ``first`` or ``last`` if the channels of an array may be in
    two places. ``validation`` and ``test`` are where the samples of these parts are: paths, or keys of an npz;
    ``validation_target`` and ``test_target`` are where their targets are. ``window`` and ``step`` cut long signals,
    ``patches`` is the number of patches to cut from each image, and ``columns`` names the columns of a table.
    """

    name: str
    path: str | None = None
    key: str | None = None
    gray: bool = False
    limit: int | None = None
    resize: str = "stretch"
    labels: str | None = None
    weights: str | None = None
    target: str | None = None
    normalize: str | None = None
    only: int | str | None = None
    white: int | None = None
    skip: str | None = None
    window: int | None = None
    step: int | None = None
    columns: str | None = None
    patches: int | None = None
    layout: str | None = None
    validation: str | None = None
    test: str | None = None
    validation_target: str | None = None
    test_target: str | None = None
    span: Span = field(default=Span(0, 0), compare=False)

    @property
    def preprocessing(self) -> PreprocessingKind | None:
        """Declaration of the preprocessing, None if there is none."""
        return None if self.normalize is None else PREPROCESSINGS[self.normalize]

    @property
    def kind(self) -> SourceKind:
        """Declaration of the source."""
        return SOURCES[self.name]


@dataclass(frozen=True)
class InputRange:
    """Range of the values of images: ``low..high``, or any real number if both are None."""

    low: float | None = 0.0
    high: float | None = 1.0

    @property
    def bounded(self) -> bool:
        """Whether the range has ends."""
        return self.low is not None

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends, or None for any real number."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def __str__(self) -> str:
        return "real" if self.low is None or self.high is None else f"{self.low:g}..{self.high:g}"


def usual_range(low: float, high: float) -> InputRange:
    """Return the usual range that holds values from ``low`` to ``high``; pixels that were not scaled are bytes."""
    if low < 0:
        return InputRange(-1.0, 1.0) if low >= -1 and high <= 1 else InputRange(None, None)
    if high <= 1:
        return InputRange(0.0, 1.0)
    return InputRange(0.0, 255.0) if 128 <= high <= 255 else InputRange(None, None)


def output_range(target: InputRange, has_line: bool, data: Sequence[DataSource]) -> InputRange:
    """Return the values that the last layer must reach: those of a ``target`` line, or of the preprocessed input."""
    kind = data[0].preprocessing if data else None
    return target if kind is None or has_line else InputRange(kind.low, kind.high)
