"""Results of an evaluation on anomalies: ``anomalies.json``, ``anomalies.csv``, and the displayed tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.diagnostics.text import counted
from caedsl.evaluation.detection import Detection, Estimate
from caedsl.evaluation.schema import MODEL
from caedsl.training.reporter import Reporter

_DIGITS = 10
"""Significant digits in the file, as in ``metrics.json``."""


@dataclass(frozen=True)
class Threshold:
    """Score above which a sample counts as an anomaly.

    It is set for the false positive rate ``fpr`` on ``normals`` normal samples. ``calibrated`` is True if it comes from
    ``calibration.json``.
    """

    value: float
    fpr: float
    normals: int
    calibrated: bool


@dataclass(frozen=True)
class TypeResult:
    """Separation of one type of anomalies from all normals; ``found`` is None without a threshold."""

    anomalies: int
    auroc: Estimate
    found: int | None


@dataclass(frozen=True)
class DetectorResult:
    """Results of one detector; ``found`` anomalies and ``rejected`` normals exceed its threshold."""

    detection: Detection
    pixel_auroc: float | None
    pro: float | None
    threshold: Threshold | None
    found: int | None
    rejected: int | None
    by_type: dict[str, TypeResult]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class AnomalyEvaluation:
    """Results by detector, the model first; ``names`` and ``types`` are those of the samples."""

    test: str
    score: str
    normal: str
    names: Sequence[str]
    types: Sequence[str]
    detectors: dict[str, DetectorResult]
    notes: Sequence[str]

    @property
    def model(self) -> DetectorResult:
        """Results of the model itself."""
        return self.detectors[MODEL]

    @property
    def pca(self) -> tuple[str, DetectorResult] | None:
        """Name and results of PCA at the same code size, or None if it was not computed."""
        return next(((name, found) for name, found in self.detectors.items() if name != MODEL), None)

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``anomalies.json``."""
        detection = self.model.detection
        return {
            "test": self.test,
            "score": self.score,
            "normal_class": self.normal,
            "normals": detection.normals,
            "anomalies": detection.anomalies,
            "detectors": {name: _rounded(_detector(result)) for name, result in self.detectors.items()},
            "notes": list(self.notes),
        }

    def table(self) -> list[list[object]]:
        """Return the rows of ``anomalies.csv``: its header, and one per sample."""
        header: list[object] = ["name", "type", "anomaly", *(f"score {name}" for name in self.detectors)]
        threshold = self.model.threshold
        columns: list[list[Any]] = [detector.scores.tolist() for detector in self.detectors.values()]
        if threshold is not None:
            header.append("verdict")
            columns.append(
                ["normal" if value <= threshold.value else "anomaly" for value in self.model.scores.tolist()]
            )
        anomalous = [int(kind != self.normal) for kind in self.types]
        return [header, *map(list, zip(self.names, self.types, anomalous, *columns, strict=True))]

    def verdict(self) -> list[str]:
        """Return the result at the threshold in words, and a remark if PCA is at least as good."""
        model, detection = self.model, self.model.detection
        lines = []
        if model.threshold is not None:
            kind = "calibrated threshold" if model.threshold.calibrated else "threshold"
            lines.append(
                f"At the {kind} {model.threshold.value:.4g} (at most {100 * model.threshold.fpr:g} % of normals, set "
                f"on {model.threshold.normals:,}), the model finds {model.found:,} of "
                f"{counted(detection.anomalies, 'anomaly', 'anomalies')} and rejects {model.rejected:,} of "
                f"{counted(detection.normals, 'normal')}."
            )
        if self.pca is not None and self.pca[1].detection.auroc.value >= detection.auroc.value:
            name, pca = self.pca
            lines.append(
                f"{name}, a linear map to as many numbers, separates them at least as well: its AUROC is "
                f"{pca.detection.auroc.value:.3f}, the model's {detection.auroc.value:.3f}."
            )
        return lines


def _detector(result: DetectorResult) -> dict[str, Any]:
    content = asdict(result)
    del content["scores"]
    counts = content.pop("detection")
    del counts["normals"], counts["anomalies"]
    return {**counts, **content}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def show(evaluation: AnomalyEvaluation, reporter: Reporter) -> None:
    """Show the results: a table by detector, a table by type of anomaly, and the verdict."""
    detectors = evaluation.detectors
    pixels = evaluation.model.pro is not None
    has_threshold = evaluation.model.found is not None
    headings = ["", "AUROC", "95 %", "AP", "FPR95"]
    headings += ["pixels", "PRO"] * pixels + ["found", "rejected"] * has_threshold
    reporter.table(headings, [[name, *_cells(result, pixels, has_threshold)] for name, result in detectors.items()])
    if len(evaluation.model.by_type) > 1:
        type_headings = ["anomaly", "samples", *(f"AUROC {name}" for name in detectors)]
        type_headings += [f"found {name}" for name in detectors] if has_threshold else []
        rows = []
        for name, of_model in evaluation.model.by_type.items():
            results = [detector.by_type[name] for detector in detectors.values()]
            cells = [f"{result.auroc.value:.3f}" for result in results]
            counts = (
                ["" if result.found is None else f"{result.found:,}" for result in results] if has_threshold else []
            )
            rows.append([name, f"{of_model.anomalies:,}", *cells, *counts])
        reporter.table(type_headings, rows)
    total = evaluation.model.detection
    anomalies = counted(total.anomalies, "anomaly", "anomalies")
    reporter.result(f"on {counted(total.normals, 'normal')} and {anomalies}, score {evaluation.score}")
    for line in (*evaluation.notes, *evaluation.verdict()):
        reporter.result(line)


def _cells(result: DetectorResult, pixels: bool, has_threshold: bool) -> list[str]:
    detection = result.detection
    cells = [
        f"{detection.auroc.value:.3f}",
        f"{detection.auroc.low:.3f}–{detection.auroc.high:.3f}",
        f"{detection.average_precision.value:.3f}",
        f"{detection.fpr_at_95_tpr.value:.1%}",
    ]
    if pixels:
        cells += [f"{result.pixel_auroc:.3f}", f"{result.pro:.3f}"]
    if has_threshold and result.found is not None and result.rejected is not None:
        cells += [f"{result.found:,}/{detection.anomalies:,}", f"{result.rejected:,}/{detection.normals:,}"]
    elif has_threshold:
        cells += ["", ""]
    return cells
