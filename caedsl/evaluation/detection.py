"""Metrics of anomaly detection: how well scores separate anomalies from normals.

Higher scores mean more abnormal samples. ``labels`` are 0 for normals and 1 for anomalies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from caedsl.diagnostics.text import counted

RESAMPLES = 1000
"""Number of bootstrap resamples for an interval; 25 of them then lie beyond each end of a 95 % interval."""
TRUE_POSITIVE_RATE = 0.95
"""Share of anomalies found at which the false positive rate is reported."""
PRO_LIMIT = 0.3
"""False positive rate up to which PRO is integrated (Bergmann et al. 2021, IJCV 129, section 4.3)."""

Floats = NDArray[np.floating]
Labels = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """Metric with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Detection:
    """Separation of anomalies from normals by image scores.

    ``auroc`` is the area under the ROC curve, ``average_precision`` the area under the precision-recall curve and
    ``fpr_at_95_tpr`` the share of normals that are flagged when 95 % of the anomalies are found.
    """

    normals: int
    anomalies: int
    auroc: Estimate
    average_precision: Estimate
    fpr_at_95_tpr: Estimate


def detection(labels: Labels, scores: Floats, seed: int = 0) -> Detection:
    """Return the image metrics of ``scores`` with bootstrap intervals. Raise ``ValueError`` if a class is missing.

    Normals and anomalies are resampled separately, so that each resample has as many of both as the data. Infinite and
    NaN scores count as the most abnormal ones.
    """
    anomalous: NDArray[np.bool_] = np.asarray(labels).astype(np.bool_)
    scores = np.nan_to_num(np.asarray(scores, np.float64), nan=np.inf, posinf=np.inf, neginf=-np.inf)
    anomalies = int(anomalous.sum())
    if not 0 < anomalies < len(labels):
        missing = "anomalies" if not anomalies else "normals"
        raise ValueError(f"there are no {missing} among {counted(len(labels), 'labelled sample')}")
    order = np.argsort(-scores, kind="stable")
    ranked = _Ranked(anomalous[order], np.append(scores[order][1:] != scores[order][:-1], True))
    generator = np.random.default_rng(seed)
    ones = np.ones(len(labels), np.int64)
    resampled = np.array([ranked.metrics(ranked.resample(generator)) for _ in range(RESAMPLES)])
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    estimates = [Estimate(value, float(low[i]), float(high[i])) for i, value in enumerate(ranked.metrics(ones))]
    return Detection(len(labels) - anomalies, anomalies, *estimates)


@dataclass(frozen=True)
class _Ranked:
    """Labels sorted from the highest score to the lowest; ``ends`` marks the last sample of each distinct score.

    A resample only changes the count of each sample, so the scores are sorted once for all resamples.
    """

    anomalous: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def resample(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return how many times each sample is drawn; the numbers of normals and of anomalies stay the same."""
        counts = np.zeros(len(self.anomalous), np.int64)
        for group in (self.anomalous, ~self.anomalous):
            size = int(group.sum())
            counts[group] = np.bincount(generator.integers(size, size=size), minlength=size)
        return counts

    def metrics(self, counts: NDArray[np.int64]) -> tuple[float, float, float]:
        """Return AUROC, average precision, and the lowest false positive rate at which 95 % of anomalies are found."""
        found = np.cumsum(counts * self.anomalous)[self.ends]
        flagged = np.cumsum(counts)[self.ends]
        tpr, fpr = found / found[-1], (flagged - found) / (flagged[-1] - found[-1])
        auroc = np.trapezoid(np.append(0.0, tpr), np.append(0.0, fpr))
        precision = found / np.maximum(flagged, 1)
        average_precision = np.sum(np.diff(tpr, prepend=0.0) * precision)
        return float(auroc), float(average_precision), float(fpr[np.argmax(tpr >= TRUE_POSITIVE_RATE)])


def pixel_auroc(masks: NDArray[np.bool_], maps: Floats) -> float:
    """Return the area under the ROC curve over all pixels; ``masks`` mark the anomalous pixels. Both are N×H×W."""
    return float(roc_auc_score(masks.ravel().astype(np.int64), maps.ravel()))


def per_region_overlap(masks: NDArray[np.bool_], maps: Floats, limit: float = PRO_LIMIT) -> float:
    """Return the per-region overlap (PRO) in 0..1, averaged over false positive rates up to ``limit``.

    It is the mean share of each defect that is found. Defects are the connected regions of ``masks`` (N×H×W, with
    diagonal neighbours), and all count equally, whatever their size (Bergmann et al. 2020, CVPR, "Uninformed students",
    section 4.1). Raise ``ValueError`` if ``masks`` are all normal or all anomalous.
    """
    regions, weights = [], []
    for mask in masks:
        labelled, count = ndimage.label(mask, structure=np.ones((3, 3)))
        sizes = np.bincount(labelled.ravel(), minlength=count + 1)
        regions.append(labelled.ravel() > 0)
        weights.append(np.where(labelled.ravel() > 0, 1.0 / np.maximum(sizes[labelled.ravel()], 1), 0.0))
    anomalous, weight = np.concatenate(regions), np.concatenate(weights)
    if not anomalous.any() or anomalous.all():
        raise ValueError("PRO needs masks with anomalous and with normal pixels")
    order = np.argsort(-maps.ravel(), kind="stable")
    sorted_maps = maps.ravel()[order]
    last_of_value = np.append(sorted_maps[1:] != sorted_maps[:-1], True)
    overlap = np.cumsum(weight[order])[last_of_value] / weight.sum()
    fpr = np.cumsum(~anomalous[order])[last_of_value] / (~anomalous).sum()
    fpr, overlap = np.concatenate(([0.0], fpr)), np.concatenate(([0.0], overlap))
    within = fpr <= limit
    end = np.interp(limit, fpr, overlap)
    x, y = np.append(fpr[within], limit), np.append(overlap[within], end)
    return float(np.trapezoid(y, x) / limit)
