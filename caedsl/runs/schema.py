"""Schemas of the JSON files in a run folder, checked when they are read.

A run folder may come from an untrusted source. Types, domains and sizes are checked here, so that other modules can
rely on them. Pydantic's parser limits the depth, ``confined`` the size. Unknown keys are ignored, since a later patch
version may add some.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from caedsl.runs.confined import read_file, read_record
from caedsl.runs.file_names import ENVIRONMENT, HISTORY_LINES, METRICS, STATE, TROUBLE
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Trouble

LARGEST_COUNT = 2**53
"""Largest count; every JSON reader represents integers up to this one exactly."""

Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Short = Annotated[str, Field(max_length=1000)]
Long = Annotated[str, Field(max_length=100_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Device = Annotated[str, Field(pattern=r"^(cpu|cuda(:[0-9]{1,3})?)$")]


class RecordError(ValueError):
    """Invalid content in a file of a run folder; the message says what is wrong."""


class Record(BaseModel):
    """Record that is read strictly: no conversion of types, no infinity, no NaN."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class StateRecord(Record):
    """Content of ``state.json``, see ``caedsl.runs.state.RunState``."""

    state: Literal["running", "finished", "interrupted", "stopped", "failed"]
    model: Short
    epochs: Annotated[int, Field(ge=1, le=LARGEST_COUNT)]
    started: Short
    error: Long | None = None


class DataRecord(Record):
    """Images of a run, and where they were found."""

    name: Long
    sha256: Sha256
    part_sha256: dict[Short, Sha256] = {}
    train: Count
    validation: Count
    test: Count
    spec_folder: Long
    data_dir: Long | None = None
    split_seed: Count | None = None
    split_sha256: Sha256 | None = None
    skipped: list[Long] = []


class EnvironmentRecord(Record):
    """Content of ``environment.json``: the software, device and data of a run."""

    model_config = ConfigDict(extra="allow")

    caedsl: Short
    python: Short
    torch: Short
    numpy: Short | None = None
    platform: Short
    device: Device
    device_name: Short
    threads: Annotated[int, Field(ge=1, le=2**16)]
    processes: Annotated[int, Field(ge=1, le=2**20)]
    precision: Literal["fp32", "bf16", "fp16"]
    seed: Count
    data: DataRecord
    notes: list[Long] = []
    command: Long = ""


class _ModelScores(Record):
    psnr: FiniteFloat | None


class _Scores(Record):
    model: _ModelScores


class _Ending(Record):
    best_epoch: Annotated[int, Field(ge=1, le=LARGEST_COUNT)] | None


class ListedMetrics(Record):
    """Part of ``metrics.json`` that a list of runs needs."""

    scores: _Scores
    training: _Ending
    code_size: Count | None = None


_Kind = TypeVar("_Kind", bound=Record)
LARGEST_LINE = 1 << 18
"""Longest line of a history or of findings, in bytes; its JSON may take 150 times its size while it is parsed."""
_EPOCH, _TROUBLE = TypeAdapter(Epoch), TypeAdapter(Trouble)
_OBJECT = TypeAdapter(dict[str, Any])


def read_as(kind: type[_Kind], folder: Path, name: str) -> _Kind:
    """Read a JSON file of a run folder.

    Raise ``OSError`` if it cannot be read, ``RecordError`` if its content is invalid.
    """
    try:
        return kind.model_validate_json(read_record(folder, name))
    except ValidationError as error:
        raise RecordError(reason_of(error)) from None


def read_state(folder: Path) -> StateRecord:
    """Read ``state.json``. Errors are those of ``read_as``."""
    return read_as(StateRecord, folder, STATE)


def read_environment(folder: Path) -> EnvironmentRecord:
    """Read ``environment.json``. Errors are those of ``read_as``."""
    return read_as(EnvironmentRecord, folder, ENVIRONMENT)


def read_listed_metrics(folder: Path) -> ListedMetrics:
    """Read the part of ``metrics.json`` that a list of runs needs. Errors are those of ``read_as``."""
    return read_as(ListedMetrics, folder, METRICS)


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read all of ``metrics.json``, checking only that it is an object. Errors are those of ``read_as``."""
    try:
        return _OBJECT.validate_json(read_record(folder, METRICS))
    except ValidationError as error:
        raise RecordError(reason_of(error)) from None


def reason_of(error: Exception) -> str:
    """Return the first problem and its place, a file or a field, on one short line."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if isinstance(error.filename, (str, Path)) else ""
        return f"{place}{error.strerror.lower()}"
    if not isinstance(error, ValidationError):
        return (str(error).splitlines() or [type(error).__name__])[0][:300]
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))[:100]
    message = problem["msg"][:1].lower() + problem["msg"][1:200]
    return f"{place}: {message}" if place else message


def read_epochs(folder: Path) -> Iterator[Epoch]:
    """Yield the completely written epochs; all of a long history would take ten times the memory of its file.

    The last line may be incomplete if the run crashed or is writing now.
    """
    for line in _lines(folder, HISTORY_LINES):
        try:
            epoch = _EPOCH.validate_json(line, strict=True)
        except ValidationError:
            break
        if not (1 <= epoch.epoch <= LARGEST_COUNT and 0 <= epoch.step <= LARGEST_COUNT and epoch.seconds >= 0):
            break
        yield epoch


def read_troubles(folder: Path) -> Iterator[Trouble]:
    """Yield the findings of the monitors in the order recorded, up to the first incomplete line."""
    for line in _lines(folder, TROUBLE):
        try:
            yield _TROUBLE.validate_json(line, strict=True)
        except ValidationError:
            break


def read_monitors(folder: Path) -> tuple[str, ...]:
    """Return the names of the monitors with findings, without repetition, in the order of their first finding."""
    return tuple(dict.fromkeys(trouble.monitor for trouble in read_troubles(folder)))


def _lines(folder: Path, name: str) -> Iterable[bytes]:
    try:
        return takewhile(lambda line: len(line) <= LARGEST_LINE, BytesIO(read_file(folder, name)))
    except OSError:
        return ()
