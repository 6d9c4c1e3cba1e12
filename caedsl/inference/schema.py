"""Schema of ``calibration.json`` in a run folder, checked when it is read."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, FiniteFloat

from caedsl.inference.calibration import Calibration
from caedsl.inference.scores import ScoreError, read_score
from caedsl.runs.confined import sha256_of, write_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import BEST
from caedsl.runs.schema import Record, RecordError, Sha256, read_as, reason_of

CALIBRATION = "calibration.json"

Share = Annotated[float, Field(ge=0, le=1)]


class _CalibrationRecord(Record):
    weights: Sha256
    score: Annotated[str, Field(max_length=100)]
    fpr: Share
    threshold: FiniteFloat
    low: Share
    high: Share
    normals: Annotated[list[FiniteFloat], Field(min_length=1)]


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write the file atomically, for the current weights of the run. Raise ``OSError`` if that fails."""
    record = _CalibrationRecord(
        weights=sha256_of(folder, BEST),
        score=calibration.score,
        fpr=calibration.fpr,
        threshold=calibration.threshold,
        low=calibration.low,
        high=calibration.high,
        normals=list(calibration.normals),
    )
    write_file(folder, CALIBRATION, (record.model_dump_json(indent=2) + "\n").encode())


def read_calibration(folder: Path) -> Calibration | None:
    """Return the calibration of a run, or None if there is none.

    Raise ``RunError`` if the file is damaged, or if the weights have changed since then: scores and threshold would not
    belong together.
    """
    try:
        record = read_as(_CalibrationRecord, folder, CALIBRATION)
        read_score(record.score)
        weights = sha256_of(folder, BEST)
    except FileNotFoundError:
        return None
    except (OSError, RecordError, ScoreError) as error:
        reason = error.strerror if isinstance(error, OSError) else reason_of(error)
        raise RunError(
            f"{folder / CALIBRATION} is damaged ({reason}): run `caedsl calibrate {folder}` again"
        ) from error
    if record.weights != weights:
        raise RunError(
            f"{folder / CALIBRATION} was set for other weights than those in {folder / BEST}: run `caedsl calibrate "
            f"{folder}` again"
        )
    normals = tuple(sorted(record.normals))
    return Calibration(record.score, record.fpr, record.threshold, record.low, record.high, normals)
