"""The training loss has more than doubled and does not recover.

## What it does
Takes the mean training loss between two probes. Reports if three such means in a row are more than twice the lowest
one so far. Names the first layer whose output has grown since then.

## Why is this bad?
The model has lost what it had learned. It rarely recovers by itself, and the best weights are those of an earlier
epoch, if one was completed.

## Example
```cae
autoencoder diverges
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.5; schedule constant warmup=40%; batch 64; epochs 16 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.005; schedule constant warmup=40%; batch 64; epochs 16 }
```

## How sure
The rise is measured; the factor of two is TheDeepChecker's threshold. A spike of one or two windows, as Adam causes
occasionally, is not reported.

## References
- Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs", ACM TOSEM: TheDeepChecker.
"""

from collections.abc import Iterator, Mapping

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, times, with_lower_rate

RISE = 2.0
WINDOWS = 3
GROWN = 2.0


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the first layer whose output has grown, or at the optimizer if none has."""
    best, windows = run.best_window, run.windows[-WINDOWS:]
    if best is None or len(windows) < WINDOWS or any(window.mean <= RISE * best.mean for window in windows):
        return
    grown = _first_grown(run)
    growth = "" if grown is None else f"; this is the first layer whose output has grown ({times(grown[1])} as large)"
    yield Symptom(
        grown[0] if grown is not None else "train.optimizer",
        f"the training loss has risen to {windows[-1].mean:.4g} from {best.mean:.4g} at step {best.step:,}, and does "
        f"not recover{_risen(best.terms, windows[-1].terms)}{growth}",
        with_lower_rate(run, CLIP if run.facts.settings.clip is None else []),
    )


def _risen(before: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return a clause that names the term with the largest rise, or an empty string for fewer than two terms."""
    rises = {name: now[name] / loss for name, loss in before.items() if loss > 0 and name in now}
    if len(rises) < 2:
        return ""
    most = max(rises, key=rises.__getitem__)
    return f"; the term `{most}` has risen most ({times(rises[most])} as large)"


def _first_grown(run: RunSoFar) -> tuple[int, float] | None:
    """Return the first layer whose output has at least doubled since the best loss, and by how much."""
    if run.best_probe is None:
        return None
    for number, (then, now) in enumerate(zip(run.best_probe.layers, run.probes[-1].layers, strict=True)):
        if then.size and now.size > GROWN * then.size:
            return number, now.size / then.size
    return None
