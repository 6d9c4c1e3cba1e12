"""Calibration: the score above which a sample counts as anomalous, set from held-out normal samples alone.

The threshold is a conformal quantile (Vovk, Gammerman, Shafer 2005, "Algorithmic learning in a random world"): of n
exchangeable normal samples, the next one exceeds the k-th smallest score with probability at most 1 - k / (n + 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from caedsl.diagnostics.text import counted

CONFIDENCE = 0.95
"""Probability that the stated interval contains the true false positive rate."""
MOST_NORMALS = 400_000
"""Largest number of normals whose scores, up to 30 bytes each, fit in a record of a run folder."""


class CalibrationError(ValueError):
    """Scores that cannot support the requested false positive rate; the message names both and the remedy."""


@dataclass(frozen=True)
class Calibration:
    """Threshold, and the scores of normals from which it was set.

    ``fpr`` is the requested false positive rate; ``low`` and ``high`` bound the true one with 95 % confidence.
    ``normals`` are the scores of the normals in ascending order; ``score`` is the kind of score in its text form.
    """

    score: str
    fpr: float
    threshold: float
    low: float
    high: float
    normals: tuple[float, ...]

    def percentile(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for each of ``scores`` the percentage of normals with a lower score."""
        below = np.searchsorted(np.array(self.normals), scores, side="left")
        return 100.0 * below / len(self.normals)

    def is_anomaly(self, scores: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return whether each of ``scores`` exceeds the threshold; a score that is not a number counts as exceeding."""
        return ~(np.asarray(scores) <= self.threshold)


def fewest_normals(fpr: float) -> int:
    """Return the smallest number of normals that can support a false positive rate, such as 99 for 1 %."""
    return max(1, ceil(1 / fpr - 1e-9) - 1)


def calibrate(scores: Sequence[float] | NDArray[np.floating], fpr: float, kind: str) -> Calibration:
    """Return the calibration from ``kind`` scores of held-out normals at the false positive rate ``fpr`` (0 to 1).

    Raise ``CalibrationError`` if there are too few normals for ``fpr``, or if a score is not finite.
    """
    if not 0 < fpr < 1:
        raise CalibrationError(f"the false positive rate is {100 * fpr:g} %: give one between 0 % and 100 %")
    ordered = sorted(float(value) for value in scores)
    n = len(ordered)
    if not all(map(isfinite, ordered)):
        raise CalibrationError(
            "a normal sample has a score that is not a finite number: check the weights and its data"
        )
    # Without the small term, rounding in 1 - 0.01 would require one normal too many.
    k = ceil((n + 1) * (1 - fpr) - 1e-9)
    if not n or k > n:
        instead = f", or ask for a rate of {_rounded_up(100 / (n + 1)):g} % or more" if n else ""
        raise CalibrationError(
            f"{counted(n, 'normal sample')} cannot support a false positive rate of {100 * fpr:g} %: it takes "
            f"{fewest_normals(fpr)}; give more of them{instead}"
        )
    # The share of normals above the k-th smallest of n scores follows Beta(n + 1 - k, k) for any distribution.
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(betaincinv(n + 1 - k, k, share)) for share in (tail, 1 - tail))
    return Calibration(kind, fpr, ordered[k - 1], low, high, tuple(ordered))


def _rounded_up(percent: float) -> float:
    """Round a rate up to two significant digits, so that the suggested rate is accepted."""
    step = 10.0 ** (floor(log10(percent)) - 1)
    return ceil(percent / step - 1e-9) * step
