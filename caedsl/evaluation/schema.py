"""Schemas of the evaluation files in a run folder, checked when they are read."""

import csv
import io
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AfterValidator, Field, FiniteFloat

from caedsl.runs.confined import read_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import ANOMALIES, ANOMALY_SCORES, METRICS, SWEEP
from caedsl.runs.schema import Count, Record, RecordError, read_as, reason_of

MODEL = "model"
"""Name of the evaluated model among the predictors and detectors in ``metrics.json`` and ``anomalies.json``."""

MOST_SCORED_SAMPLES = 1_000_000
"""Most lines of ``anomalies.csv`` that are read: each takes some 300 bytes of memory, however short it is."""

Text = Annotated[str, Field(max_length=10_000)]


class ErrorsRecord(Record):
    """Metrics of one predictor, see ``caedsl.evaluation.metrics.Metrics``; null stands for non-finite values."""

    mse: FiniteFloat | None
    mae: FiniteFloat | None
    psnr: FiniteFloat | None
    ssim: FiniteFloat | None
    bce: FiniteFloat | None = None
    bce_above_floor: FiniteFloat | None = None


class TrainingRecord(Record):
    """End of the training."""

    ended: Text
    epochs: Count
    steps: Count
    best_epoch: Count | None
    parameters: Count


def _with_model(scores: dict[str, ErrorsRecord]) -> dict[str, ErrorsRecord]:
    if MODEL not in scores:
        raise ValueError(f"it has no scores of {MODEL}")
    return scores


class MetricsRecord(Record):
    """Content of ``metrics.json``, see ``caedsl.evaluation.evaluate.Evaluation.as_json``."""

    evaluated_on: Text
    images: Count
    pixels: Text
    code_size: Count
    scores: Annotated[dict[Text, ErrorsRecord], Field(max_length=100), AfterValidator(_with_model)]
    notes: list[Text]
    training: TrainingRecord


class SweepRow(Record):
    """Metrics by predictor for one amount of a corruption."""

    amount: FiniteFloat
    scores: Annotated[dict[Text, ErrorsRecord], Field(max_length=100)]


class SweepRecord(Record):
    """Content of ``sweep.json``, see ``caedsl.evaluation.corruption_sweep.CorruptionSweep.as_json``."""

    corruption: Text
    trained: FiniteFloat | tuple[FiniteFloat, FiniteFloat]
    evaluated_on: Text
    images: Count
    rows: Annotated[list[SweepRow], Field(min_length=2, max_length=100)]


class EstimateRecord(Record):
    """Metric with its interval."""

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class ThresholdRecord(Record):
    """Threshold, see ``caedsl.evaluation.anomaly_results.Threshold``."""

    value: FiniteFloat
    fpr: FiniteFloat
    normals: Count
    calibrated: bool


class TypeRecord(Record):
    """Results for one type of anomaly."""

    anomalies: Count
    auroc: EstimateRecord
    found: Count | None


class DetectorRecord(Record):
    """Results of one detector, see ``caedsl.evaluation.anomaly_results.DetectorResult``."""

    auroc: EstimateRecord
    average_precision: EstimateRecord
    fpr_at_95_tpr: EstimateRecord
    pixel_auroc: FiniteFloat | None
    pro: FiniteFloat | None
    threshold: ThresholdRecord | None
    found: Count | None
    rejected: Count | None
    by_type: dict[Text, TypeRecord]


class AnomaliesRecord(Record):
    """Content of ``anomalies.json``, see ``caedsl.evaluation.anomaly_results.AnomalyEvaluation.as_json``."""

    test: Text
    score: Text
    normal_class: Text
    normals: Count
    anomalies: Count
    detectors: Annotated[dict[Text, DetectorRecord], Field(min_length=1, max_length=10)]
    notes: list[Text]


class ScoredSample(NamedTuple):
    """Line of ``anomalies.csv``, with the score of the model."""

    name: str
    kind: str
    anomalous: bool
    score: float


_Kind = TypeVar("_Kind", bound=Record)


def read_evaluation(folder: Path) -> MetricsRecord:
    """Read ``metrics.json``. Raise ``RunError`` if it is missing or damaged."""
    found = _read(folder, METRICS, MetricsRecord, f"`caedsl train --resume {folder}` writes it again")
    if found is None:
        raise unfinished(folder)
    return found


def unfinished(folder: Path) -> RunError:
    """Return the error for a run without metrics."""
    return RunError(
        f"{folder} has no {METRICS}: the run did not finish (`caedsl train --resume {folder}` completes it), or only "
        "its model was shared"
    )


def read_anomalies(folder: Path) -> AnomaliesRecord | None:
    """Read ``anomalies.json``; return None if it is missing. Raise ``RunError`` if it is damaged."""
    return _read(folder, ANOMALIES, AnomaliesRecord, f"run `caedsl evaluate {folder}` again")


def read_sweep(folder: Path) -> SweepRecord | None:
    """Read ``sweep.json``; return None if it is missing. Raise ``RunError`` if it is damaged."""
    return _read(folder, SWEEP, SweepRecord, f"run `caedsl evaluate {folder} --sweep gaussian=0.1..0.5` again")


def read_scored_samples(folder: Path) -> list[ScoredSample]:
    """Read ``anomalies.csv``. Raise ``RunError`` if it is missing or damaged."""
    try:
        content = read_file(folder, ANOMALY_SCORES)
        rows = csv.reader(io.StringIO(content.decode(), newline=""))
        next(rows)
        read = islice(rows, MOST_SCORED_SAMPLES)
        samples = [ScoredSample(row[0], row[1], row[2] == "1", float(row[3])) for row in read]
        if next(rows, None) is not None:
            raise ValueError(f"it has more than {MOST_SCORED_SAMPLES:,} lines, the limit")
        return samples
    except (OSError, ValueError, IndexError, StopIteration, csv.Error) as error:
        raise RunError(
            f"{folder / ANOMALY_SCORES} cannot be read ({reason_of(error)}): run `caedsl evaluate {folder}` again"
        ) from error


def _read(folder: Path, name: str, kind: type[_Kind], remedy: str) -> _Kind | None:
    try:
        return read_as(kind, folder, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{folder / name} cannot be read: {error.strerror or error}") from error
    except RecordError as error:
        raise RunError(f"{folder / name} is damaged ({error}): {remedy}") from error
