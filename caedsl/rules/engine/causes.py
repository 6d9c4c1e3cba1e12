"""Causes of what goes wrong in training: the one table that static findings and monitors share.

A monitor sees a symptom. Where ``caedsl check`` has already found a cause of that symptom in the spec, its evidence and
its remedy stand, so that no monitor advises against it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Severity

_RATES = ("mismatched-sgd-rate", "high-learning-rate", "low-learning-rate")

CAUSES: Mapping[str, tuple[str, ...]] = {
    "constant-output": (
        "output-range",
        "bce-range",
        *_RATES,
        "saturating-hidden",
        "fading-signal",
        "strong-l2",
        "strong-weight-decay",
        "normalised-output",
        "channel-pinch",
        "too-few-steps",
    ),
    "dead-layer": _RATES,
    "diverging-loss": ("bce-range", *_RATES, "exploding-signal", "unscaled-data"),
    "exploding-gradient": (*_RATES, "exploding-signal", "unscaled-data"),
    "idle-code": ("relu-code", *_RATES),
    "not-finite": ("fp16-overflow", "bce-range", *_RATES, "exploding-signal", "unscaled-data"),
    "oscillating-loss": (*_RATES, "small-batch-norm"),
    "saturated-output": ("output-range", "bce-range", *_RATES, "final-relu", "unscaled-data"),
    "stuck-loss": (
        "output-range",
        *_RATES,
        "saturating-hidden",
        "fading-signal",
        "strong-l2",
        "strong-weight-decay",
        "too-few-steps",
    ),
    "train-eval-gap": ("small-batch-norm", "heavy-dropout"),
    "vanishing-gradient": ("saturating-hidden", "fading-signal", *_RATES),
}
"""Rules that prove a cause of a symptom, by the name of the monitor that sees it: the likeliest first."""


class Explanation(NamedTuple):
    """Cause that the spec shows: the ``evidence`` for it, and the ``remedy``."""

    rule: str
    evidence: str
    remedy: str


def explanation(symptom: str, findings: Iterable[Finding]) -> Explanation | None:
    """Return the likeliest cause of a symptom among the errors and warnings of a spec; None where none explains it."""
    known = {finding.name: finding for finding in findings if finding.severity is not Severity.INFO and finding.advice}
    rule = next((rule for rule in CAUSES.get(symptom, ()) if rule in known), None)
    return None if rule is None else Explanation(rule, known[rule].summary, known[rule].advice)
