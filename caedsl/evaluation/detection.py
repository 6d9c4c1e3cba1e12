"""Metrics of anomaly detection: how well scores separate anomalies from normals.

A score is higher for what is more abnormal. ``labels`` are 0 for normals and 1 for anomalies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import roc_auc_score

RESAMPLES = 1000
"""Bootstrap resamples behind an interval; the ends of a 95 % interval then stand on 25 resamples each."""
TRUE_POSITIVE_RATE = 0.95
"""The share of the anomalies that must be found where the false positive rate is stated."""
PRO_LIMIT = 0.3
"""The false positive rate up to which PRO is integrated (Bergmann et al. 2021, IJCV 129, section 4.3)."""

Floats = NDArray[np.floating]
Labels = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Detection:
    """How well image scores separate anomalies from normals.

    ``auroc`` is the area under the ROC curve, ``average_precision`` the area under the precision-recall curve and
    ``fpr_at_95_tpr`` the share of normals that are flagged where 95 % of the anomalies are found.
    """

    normals: int
    anomalies: int
    auroc: Estimate
    average_precision: Estimate
    fpr_at_95_tpr: Estimate


def detection(labels: Labels, scores: Floats, seed: int = 0) -> Detection:
    """Return the image metrics of ``scores`` with bootstrap intervals; ``ValueError`` where a class is missing.

    Resamples draw normals and anomalies apart, so that each has as many of both as the data. An infinite score is the
    most abnormal one, and so is one that is not a number.
    """
    anomalous: NDArray[np.bool_] = np.asarray(labels).astype(np.bool_)
    scores = np.nan_to_num(np.asarray(scores, np.float64), nan=np.inf, posinf=np.inf, neginf=-np.inf)
    anomalies = int(anomalous.sum())
    if not 0 < anomalies < len(labels):
        missing = "anomalies" if not anomalies else "normals"
        raise ValueError(f"there are no {missing} among the {len(labels)} labelled samples")
    order = np.argsort(-scores, kind="stable")
    ranked = _Ranked(anomalous[order], np.append(scores[order][1:] != scores[order][:-1], True))
    drawn = np.random.default_rng(seed)
    ones = np.ones(len(labels), np.int64)
    resampled = np.array([ranked.metrics(ranked.resample(drawn)) for _ in range(RESAMPLES)])
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    estimates = [Estimate(value, float(low[i]), float(high[i])) for i, value in enumerate(ranked.metrics(ones))]
    return Detection(len(labels) - anomalies, anomalies, *estimates)


@dataclass(frozen=True)
class _Ranked:
    """Labels from the highest score to the lowest; ``ends`` marks the last sample of each score.

    A resample only counts samples differently, so the scores are sorted once for all of them.
    """

    anomalous: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def resample(self, drawn: np.random.Generator) -> NDArray[np.int64]:
        """Return how often each sample is drawn, with as many normals and anomalies as there are."""
        counts = np.zeros(len(self.anomalous), np.int64)
        for group in (self.anomalous, ~self.anomalous):
            size = int(group.sum())
            counts[group] = np.bincount(drawn.integers(size, size=size), minlength=size)
        return counts

    def metrics(self, counts: NDArray[np.int64]) -> tuple[float, float, float]:
        """Return AUROC, average precision and the least false positive rate with 95 % of the anomalies found."""
        found = np.cumsum(counts * self.anomalous)[self.ends]
        flagged = np.cumsum(counts)[self.ends]
        true, false = found / found[-1], (flagged - found) / (flagged[-1] - found[-1])
        auroc = np.trapezoid(np.append(0.0, true), np.append(0.0, false))
        precision = found / np.maximum(flagged, 1)
        average_precision = np.sum(np.diff(true, prepend=0.0) * precision)
        return float(auroc), float(average_precision), float(false[np.argmax(true >= TRUE_POSITIVE_RATE)])


def pixel_auroc(masks: NDArray[np.bool_], maps: Floats) -> float:
    """Return the area under the ROC curve over all pixels; ``masks`` mark the anomalous ones, both N×H×W."""
    return float(roc_auc_score(masks.ravel().astype(np.int64), maps.ravel()))


def per_region_overlap(masks: NDArray[np.bool_], maps: Floats, limit: float = PRO_LIMIT) -> float:
    """Return PRO: the mean share of each defect that is found, over false positive rates up to ``limit``, in 0..1.

    Defects are the connected regions of ``masks`` (N×H×W, pixels that touch at a corner belong together). Each counts
    alike, whatever its size (Bergmann et al. 2020, CVPR, "Uninformed students", section 4.1).
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
    false = np.cumsum(~anomalous[order])[last_of_value] / (~anomalous).sum()
    false, overlap = np.concatenate(([0.0], false)), np.concatenate(([0.0], overlap))
    within = false <= limit
    end = np.interp(limit, false, overlap)
    x, y = np.append(false[within], limit), np.append(overlap[within], end)
    return float(np.trapezoid(y, x) / limit)
