"""Third-party monitors on the same runs: NeuralDBG and SK-AutoD, as published on PyPI.

    pip install neuraldbg sk-autod

Their answers are read generously: each name stands for every cause that it may mean. NeuralDBG's ranked
hypotheses come from an unpublished package; the events that its monitor records are ranked by their confidence
instead, and then by their step.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from math import isfinite

from caedsl.backends.torch.seeds import derived_seed
from caedsl.doctor.subject import Subject
from caedsl.runs.errors import TrainingError

_RATES = "high-learning-rate low-learning-rate mismatched-sgd-rate"
_MEANT = {
    "gradient_health_transition vanishing": f"saturating-hidden fading-signal dead-start {_RATES}",
    "gradient_health_transition exploding": f"exploding-signal unscaled-data {_RATES}",
    "gradient_health_transition saturated": f"saturating-hidden fading-signal dead-start {_RATES}",
    "activation_regime_shift dead": "dead-start dead-layer final-relu relu-code",
    "activation_regime_shift saturated": "saturating-hidden output-range unscaled-data exploding-signal",
    "optimizer_instability loss_plateau": f"dead-start constant-images frozen-layer {_RATES}",
    "optimizer_instability loss_spike": f"exploding-signal {_RATES}",
    "optimizer_instability diverging": f"exploding-signal unscaled-data {_RATES}",
    "data_anomaly nan_detected": "unscaled-data",
    "data_anomaly inf_detected": "unscaled-data",
    "data_anomaly distribution_shift": "image-scale shifted-split evaluation-preprocessing",
    "Classic overfitting": "tiny-dataset duplicate-images evaluation-preprocessing shifted-split",
    "Missed early stopping": "tiny-dataset duplicate-images",
    "Exploding gradient": f"exploding-signal unscaled-data {_RATES}",
    "LR too high": _RATES,
    "LR too low": f"{_RATES} too-few-steps oversized-batch strong-l2 strong-weight-decay",
    "Noisy training": f"oversized-batch small-batch-norm {_RATES}",
    "Underfitting": "code-too-small channel-pinch strong-l2 strong-weight-decay heavy-dropout output-range too-few-steps",
    "Dying ReLU proxy": "dead-start dead-layer final-relu relu-code",
    "Data leakage": "leaking-split",
    "Label noise floor": "unrelated-target label-target",
}
"""The causes that each name may mean."""

PEERS = ("neuraldbg", "sk_autod")
LEAST_EPOCHS = 5
"""Epochs, all of finite losses, below which SK-AutoD refuses to answer."""


def missing() -> list[str]:
    """Return the packages that are not installed."""
    return [name for name in PEERS if find_spec(name) is None]


def causes_meant(names: Sequence[str]) -> list[set[str]]:
    """Return the causes that each name may mean, in order; a name without an entry means none."""
    return [set(_MEANT.get(name, "").split()) for name in names]


def watched(subject: Subject) -> dict[str, list[str]]:
    """Train a subject as its spec says, and return what each monitor names, the most important first."""
    from neuraldbg import NeuralDbg

    training = subject.fresh()
    training.network = training.joined = training.module  # hooks see the module's own layers
    losses: list[float] = []
    held_out: list[float] = []
    with NeuralDbg(training.module) as monitor, training.stepping():
        for epoch in range(1, training.settings.epochs + 1):
            training.module.train()
            order = derived_seed(training.settings.seed, "order", epoch)
            of_epoch = []
            for clean in training.train.shuffled(training.settings.batch, order):
                loss = training.take_step(clean).total.item()
                monitor.record_loss(loss)
                monitor.step_iteration()
                of_epoch.append(loss)
            try:
                held_out.append(training.validate() or of_epoch[-1])
            except TrainingError:
                held_out.append(float("nan"))
            losses.append(sum(of_epoch) / len(of_epoch))
            if not isfinite(losses[-1] + held_out[-1]):
                break
    return {"neuraldbg": _of_events(monitor.get_events()), "sk_autod": _of_curves(losses, held_out)}


def _of_events(events: Sequence[object]) -> list[str]:
    """Return the kinds of events that indicate a fault, the most certain and earliest first."""
    told = [(-event.confidence, event.step, f"{event.event_type.value} {_state(event.to_state)}") for event in events]
    return list(dict.fromkeys(name for _, _, name in sorted(told) if name in _MEANT))


def _state(state: object) -> str:
    return str(getattr(state, "value", state))


def _of_curves(losses: list[float], held_out: list[float]) -> list[str]:
    from sk_autod import diagnose

    finite = [(loss, other) for loss, other in zip(losses, held_out, strict=True) if isfinite(loss + other)]
    if len(finite) < max(len(losses), LEAST_EPOCHS):
        return []
    found = diagnose(*(list(curve) for curve in zip(*finite, strict=True))).findings
    return list(dict.fromkeys(one.detector_name for one in found))
