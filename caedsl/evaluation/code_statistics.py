"""Statistics of codes: the deviation of each unit, the number of dead units, and the effective rank."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caedsl.diagnostics.text import counted
from caedsl.runs.errors import RunError

Codes = NDArray[np.float64]

_DEAD = 1e-6
"""A unit is dead if its standard deviation is at most this share of the largest one."""


@dataclass(frozen=True)
class CodeStatistics:
    """Statistics of codes: the standard deviation of each unit, the number of dead units, and the effective rank.

    ``effective_rank`` is the exponential of the entropy of the covariance spectrum (Roy and Vetterli 2007).
    """

    deviations: NDArray[np.float64]
    dead: int
    effective_rank: float

    @classmethod
    def of(cls, codes: Codes) -> "CodeStatistics":
        """Return the statistics of codes N x units."""
        deviations = codes.std(axis=0)
        dead = int((deviations <= _DEAD * max(float(deviations.max()), np.finfo(float).tiny)).sum())
        return cls(deviations, dead, _effective_rank(codes))

    @property
    def text(self) -> str:
        """Statistics in words."""
        return (
            f"{self.dead} dead of {counted(len(self.deviations), 'code unit')}; the effective rank of the codes is "
            f"{self.effective_rank:.1f}"
        )


def finite_codes(codes: Codes, run: Path) -> Codes:
    """Return the codes. Raise ``RunError`` if a number is not finite, which happens with finite but huge weights."""
    if not np.isfinite(codes).all():
        raise RunError(f"the codes of {run} have numbers that are not finite: train it again with a smaller rate")
    return codes


def _effective_rank(codes: Codes) -> float:
    spectrum = np.linalg.svd(codes - codes.mean(axis=0), compute_uv=False) ** 2
    if not spectrum.sum() > 0:
        return 0.0
    shares = spectrum[spectrum > 0] / spectrum.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
