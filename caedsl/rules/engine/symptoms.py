"""Symptoms of failing training, and the causes that each may have.

A monitor or a probe sees a symptom. If ``caedsl check`` has already found a cause of that symptom in the spec, its
evidence and its remedy are used, so no other advice contradicts them.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Severity

RATES = ("mismatched-sgd-rate", "high-learning-rate", "low-learning-rate")
"""Causes that concern a single setting, the learning rate: a spec can have only one of them."""
TOO_FAST = ("mismatched-sgd-rate", "high-learning-rate")
"""Those of them for which the rate is too high."""
_DATA = ("label-target", "unrelated-target", "constant-images", "image-scale")
_START = ("frozen-layer", "dead-start", "fading-signal")

CAUSES: Mapping[str, tuple[str, ...]] = {
    # What monitors see.
    "constant-output": (
        "output-range",
        "bce-range",
        *RATES,
        "tight-clip",
        "saturating-hidden",
        "fading-signal",
        "strong-l2",
        "strong-weight-decay",
        "strong-divergence",
        "normalised-output",
        "channel-pinch",
        "too-few-steps",
        "oversized-batch",
        *_DATA,
        "dead-start",
        "dead-layer",
        "frozen-layer",
    ),
    "dead-layer": (*TOO_FAST, "dead-start"),
    "diverging-loss": ("bce-range", *TOO_FAST, "exploding-signal", "unscaled-data"),
    "dominating-divergence": ("strong-divergence",),
    "exploding-gradient": (*TOO_FAST, "exploding-signal", "unscaled-data"),
    "idle-code": ("relu-code", *RATES, "duplicate-images", "unrelated-target"),
    "not-finite": ("fp16-overflow", "bce-range", *TOO_FAST, "exploding-signal", "unscaled-data"),
    "oscillating-loss": (*TOO_FAST, "small-batch-norm"),
    "overfitting": ("duplicate-images", "tiny-dataset", "shifted-split", "evaluation-preprocessing"),
    "saturated-output": ("output-range", "bce-range", *RATES, "final-relu", "unscaled-data", "image-scale"),
    "stuck-loss": (
        "output-range",
        *RATES,
        "tight-clip",
        "saturating-hidden",
        "fading-signal",
        "strong-l2",
        "strong-weight-decay",
        "strong-divergence",
        "too-few-steps",
        "oversized-batch",
        *_DATA,
        "dead-start",
        "frozen-layer",
    ),
    "posterior-collapse": ("strong-divergence",),
    "train-eval-gap": ("small-batch-norm", "heavy-dropout"),
    "unrelated-target": ("label-target", "unrelated-target"),
    "vanishing-gradient": ("saturating-hidden", "fading-signal", *RATES, "tight-clip", "dead-start", "frozen-layer"),
    "worse-than-mean": (
        "output-range",
        "bce-range",
        *RATES,
        "tight-clip",
        "saturating-hidden",
        "exploding-signal",
        "strong-l2",
        "strong-weight-decay",
        "strong-divergence",
        "heavy-dropout",
        "too-few-steps",
        *_DATA,
        "dead-start",
        "frozen-layer",
    ),
    # What only `caedsl doctor` sees.
    "cannot-memorise": (
        "output-range",
        "bce-range",
        "label-target",
        *_START,
        *RATES,
        "tight-clip",
        "saturating-hidden",
        "final-relu",
        "exploding-signal",
        "empty-background",
        "normalised-output",
        "strong-l2",
        "strong-weight-decay",
        "strong-divergence",
        "heavy-dropout",
        "channel-pinch",
        "code-too-small",
        "image-scale",
        "unscaled-data",
        "dead-layer",
    ),
    "slow-start": (
        "output-range",
        "bce-range",
        *RATES,
        "tight-clip",
        "strong-l2",
        "strong-weight-decay",
        "strong-divergence",
        "saturating-hidden",
        "fading-signal",
        "normalised-output",
        "heavy-dropout",
        "channel-pinch",
        "too-few-steps",
        "oversized-batch",
    ),
    "held-out-gap": (
        "evaluation-preprocessing",
        "shifted-split",
        "duplicate-images",
        "leaking-split",
        "small-batch-norm",
        "tiny-dataset",
    ),
    "poor-plateau": (
        "code-too-small",
        "empty-background",
        "relu-code",
        "heavy-dropout",
        "channel-pinch",
        "too-few-steps",
        "oversized-batch",
        "frozen-layer",
        *_DATA,
    ),
}
"""Causes of a symptom, the most likely first: by the name of the monitor or of the symptom that a probe sees."""

DOCTOR_SYMPTOMS: Mapping[str, str] = {
    "cannot-memorise": "the network cannot memorise 16 images",
    "slow-start": "the network learns, but slowly",
    "held-out-gap": "held-out images are reconstructed far worse than training images",
    "poor-plateau": "the network is hardly better than the mean image",
}
"""The symptoms that only ``caedsl doctor`` sees, in words."""


class LikelyCause(NamedTuple):
    """Cause that the spec shows: the ``evidence`` for it, and the ``remedy``."""

    rule: str
    evidence: str
    remedy: str


def likely_cause(symptom: str, findings: Iterable[Finding]) -> LikelyCause | None:
    """Return the most likely cause of a symptom among the errors and warnings of a spec; None if none explains it."""
    causes = CAUSES.get(symptom, ())
    known = {finding.name: finding for finding in findings if finding.severity is not Severity.INFO and finding.advice}
    if "low-learning-rate" not in causes:
        known = {name: finding for name, finding in known.items() if _direction(finding) != "low"}
    rule = next((rule for rule in causes if rule in known), None)
    return None if rule is None else LikelyCause(rule, known[rule].message, known[rule].advice)


def rate_fault(findings: Iterable[Finding]) -> str:
    """Return whether the findings of a spec say that its learning rate is ``low`` or ``high``; else an empty string."""
    return next((direction for finding in findings if (direction := _direction(finding))), "")


def _direction(finding: Finding) -> str:
    if finding.name not in RATES:
        return ""
    return "low" if finding.name == "low-learning-rate" or "travel" in finding.data else "high"
