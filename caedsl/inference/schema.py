"""Schema of ``calibration.json`` in a run folder, checked when it is read."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from caedsl.inference.calibration import Calibration
from caedsl.inference.scores import ScoreError, read_score
from caedsl.runs.confined import read_record, sha256_of, write_file
from caedsl.runs.errors import RunError
from caedsl.runs.files import BEST
from caedsl.runs.schema import reason_of

CALIBRATION = "calibration.json"

Share = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    """Record that is read strictly: no conversion of types, no infinity, no NaN."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    weights: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    score: Annotated[str, Field(max_length=100)]
    fpr: Share
    threshold: FiniteFloat
    low: Share
    high: Share
    normals: Annotated[list[FiniteFloat], Field(min_length=1)]


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write the file atomically, for the current weights of the run. Raise ``OSError`` if that fails."""
    record = _Record(
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
        record = _Record.model_validate_json(read_record(folder, CALIBRATION))
        read_score(record.score)
        weights = sha256_of(folder, BEST)
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ScoreError) as error:
        reason = reason_of(error) if isinstance(error, ValueError) else error.strerror
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
