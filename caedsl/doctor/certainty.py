"""Certainty of a suspicion, from 0 to 1: where evidence starts it, and how symptoms and repairs change it.

The numbers are not measured probabilities: they rank the causes, and ``NAMED`` separates those that are named.

| | CERTAIN | LIKELY | UNPROVEN | POSSIBLE |
| --- | --- | --- | --- | --- |
| at first | 0.95 | 0.75 | 0.35 | 0.3 |
| explains a symptom | 0.99 | 0.85 | 0.45 | 0.4 |
| then its repair wins | 0.99 | 0.99 | 0.65 | 0.6 |
| its repair wins, without a symptom | 0.99 | 0.95 | 0.55 | 0.3 |
| its repair loses | below 0.5 | below 0.5 | below 0.5 | below 0.5 |
"""

MOST = 0.99
"""Highest certainty of a suspicion."""
CERTAIN = 0.95
"""Certainty of a cause that was measured or proved."""
LIKELY = 0.75
"""Certainty of a cause that one probe shows."""
NAMED = 0.5
"""Certainty from which a cause is named in the diagnosis."""
UNPROVEN = 0.35
"""Certainty of a cause that is named only if its repair wins."""
POSSIBLE = 0.3
"""Certainty of a cause that is named only if it explains a symptom and its repair wins."""

_SYMPTOM = 0.1
"""Added for a symptom: less than the distance from any level to ``NAMED``, so that it never names a cause alone."""
_WON = 0.2
"""Added for a repair that wins: enough to name an unproven cause."""
_LOST = 0.5
"""Factor for a repair that loses: no cause stays named."""


def with_symptom(sure: float) -> float:
    """Return the certainty of a cause that explains a symptom."""
    return min(MOST, sure + _SYMPTOM)


def with_won_repair(sure: float) -> float:
    """Return the certainty of a cause whose repair wins; one that is only possible stays so."""
    return min(MOST, sure + _WON) if sure >= UNPROVEN else sure


def with_lost_repair(sure: float) -> float:
    """Return the certainty of a cause whose repair does not win."""
    return _LOST * sure
