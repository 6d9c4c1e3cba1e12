"""Metrics of anomaly detection: how well scores separate anomalies from normals.

A score is higher for what is more abnormal. ``labels`` are 0 for normals and 1 for anomalies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

RESAMPLES = 1000
"""Bootstrap resamples behind an interval; the ends of a 95 % interval then stand on 25 resamples each."""
PRO_LIMIT = 0.3
"""The false positive rate up to which PRO is integrated (Bergmann et al. 2021, IJCV 129, section 4.3)."""

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]


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


def fpr_at_tpr(labels: Labels, scores: Floats, rate: float = 0.95) -> float:
    """Return the least false positive rate at which the true positive rate reaches ``rate``."""
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(false[np.argmax(true >= rate)])


def detection(labels: Labels, scores: Floats, seed: int = 0) -> Detection:
    """Return the image metrics of ``scores`` with bootstrap intervals; ``ValueError`` where a class is missing.

    Resamples draw normals and anomalies apart, so that each has as many of both as the data.
    """
    labels, scores = np.asarray(labels).astype(np.int64), np.asarray(scores, np.float64)
    anomalies = int(labels.sum())
    if not 0 < anomalies < len(labels):
        missing = "anomalies" if not anomalies else "normals"
        raise ValueError(f"there are no {missing} among the {len(labels)} labelled samples")
    metrics: tuple[Callable[[Labels, Floats], float], ...] = (roc_auc_score, average_precision_score, fpr_at_tpr)
    drawn = np.random.default_rng(seed)
    groups = [np.flatnonzero(labels == label) for label in (0, 1)]
    resampled = []
    for _ in range(RESAMPLES):
        index = np.concatenate([drawn.choice(group, len(group)) for group in groups])
        resampled.append([metric(labels[index], scores[index]) for metric in metrics])
    low, high = np.quantile(np.array(resampled), (0.025, 0.975), axis=0)
    estimates = [
        Estimate(float(metric(labels, scores)), float(low[i]), float(high[i])) for i, metric in enumerate(metrics)
    ]
    return Detection(len(labels) - anomalies, anomalies, *estimates)


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
