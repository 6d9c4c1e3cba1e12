"""Results of an evaluation on anomalies: ``anomalies.json``, ``anomalies.csv``, and the displayed tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.diagnostics.text import counted
from caedsl.evaluation.detection import Detection, Estimate
from caedsl.training.reporter import Reporter

MODEL = "model"
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
class Detector:
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
    detectors: dict[str, Detector]
    notes: Sequence[str]

    @property
    def model(self) -> Detector:
        """Results of the model itself."""
        return self.detectors[MODEL]

    @property
    def pca(self) -> tuple[str, Detector] | None:
        """Name and results of PCA at the same code size, or None if it was not computed."""
        return next(((name, found) for name, found in self.detectors.items() if name != MODEL), None)

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``anomalies.json``."""
        of = self.model.detection
        return {
            "test": self.test,
            "score": self.score,
            "normal_class": self.normal,
            "normals": of.normals,
            "anomalies": of.anomalies,
            "detectors": {name: _rounded(_detector(found)) for name, found in self.detectors.items()},
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
        model, of = self.model, self.model.detection
        lines = []
        if model.threshold is not None:
            kind = "calibrated threshold" if model.threshold.calibrated else "threshold"
            lines.append(
                f"At the {kind} {model.threshold.value:.4g} (at most {100 * model.threshold.fpr:g} % of normals, set "
                f"on {model.threshold.normals:,}), the model finds {model.found:,} of "
                f"{counted(of.anomalies, 'anomaly', 'anomalies')} and rejects {model.rejected:,} of "
                f"{counted(of.normals, 'normal')}."
            )
        if self.pca is not None and self.pca[1].detection.auroc.value >= of.auroc.value:
            name, pca = self.pca
            lines.append(
                f"{name}, a linear map to as many numbers, separates them at least as well: its AUROC is "
                f"{pca.detection.auroc.value:.3f}, the model's {of.auroc.value:.3f}."
            )
        return lines


def _detector(found: Detector) -> dict[str, Any]:
    content = asdict(found)
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
    judged = evaluation.model.found is not None
    headings = ["", "AUROC", "95 %", "AP", "FPR95"]
    headings += ["pixels", "PRO"] * pixels + ["found", "rejected"] * judged
    reporter.table(headings, [[name, *_cells(found, pixels, judged)] for name, found in detectors.items()])
    if len(evaluation.model.by_type) > 1:
        heads = ["anomaly", "samples", *(f"AUROC {name}" for name in detectors)]
        heads += [f"found {name}" for name in detectors] if judged else []
        rows = []
        for name, of in evaluation.model.by_type.items():
            every = [found.by_type[name] for found in detectors.values()]
            cells = [f"{result.auroc.value:.3f}" for result in every]
            counts = ["" if result.found is None else f"{result.found:,}" for result in every] if judged else []
            rows.append([name, f"{of.anomalies:,}", *cells, *counts])
        reporter.table(heads, rows)
    total = evaluation.model.detection
    anomalies = counted(total.anomalies, "anomaly", "anomalies")
    reporter.result(f"on {counted(total.normals, 'normal')} and {anomalies}, score {evaluation.score}")
    for line in (*evaluation.notes, *evaluation.verdict()):
        reporter.result(line)


def _cells(found: Detector, pixels: bool, judged: bool) -> list[str]:
    of = found.detection
    cells = [
        f"{of.auroc.value:.3f}",
        f"{of.auroc.low:.3f}–{of.auroc.high:.3f}",
        f"{of.average_precision.value:.3f}",
        f"{of.fpr_at_95_tpr.value:.1%}",
    ]
    if pixels:
        cells += [f"{found.pixel_auroc:.3f}", f"{found.pro:.3f}"]
    if judged and found.found is not None and found.rejected is not None:
        cells += [f"{found.found:,}/{of.anomalies:,}", f"{found.rejected:,}/{of.normals:,}"]
    elif judged:
        cells += ["", ""]
    return cells
