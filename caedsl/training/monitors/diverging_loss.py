"""The loss has risen to twice its best, and stays there.

## What it does
Takes the mean of the training loss between two probes. It speaks where three such means in a row are more than twice
the lowest one so far. It names the first layer whose output has grown since then.

## Why is this bad?
The run had learned more than it knows now. From here it seldom finds back by itself, and the best weights are those
of an earlier epoch, if one was over.

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
autoencoder converges
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.005; schedule constant warmup=40%; batch 64; epochs 16 }
```

## How sure
The rise is measured; twice is TheDeepChecker's border. A spike that is over after one or two windows, as Adam makes
them now and then, is not reported.

## References
- Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs", ACM TOSEM: TheDeepChecker.
"""

from collections.abc import Iterator, Mapping

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, times, with_lower_rate

RISE = 2.0
WINDOWS = 3
GROWN = 2.0


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the first layer whose output has grown, or at the optimizer if none has."""
    best, windows = seen.best_window, seen.windows[-WINDOWS:]
    if best is None or len(windows) < WINDOWS or any(window.mean <= RISE * best.mean for window in windows):
        return
    grown = _first_grown(seen)
    growth = "" if grown is None else f"; this is the first layer whose output has grown, {times(grown[1])}"
    yield Sign(
        grown[0] if grown is not None else "train.optimizer",
        f"the training loss has risen to {windows[-1].mean:.4g} from {best.mean:.4g} at step {best.step:,}, and "
        f"stays there{_risen(best.terms, windows[-1].terms)}{growth}: what was learned is lost",
        with_lower_rate(seen.facts, CLIP if seen.facts.settings.clip is None else []),
    )


def _risen(before: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return a clause that names the term with the largest rise, or an empty string for fewer than two terms."""
    rises = {name: now[name] / loss for name, loss in before.items() if loss > 0 and name in now}
    if len(rises) < 2:
        return ""
    most = max(rises, key=rises.__getitem__)
    return f"; of its terms `{most}` has risen most, {times(rises[most])}"


def _first_grown(seen: RunSoFar) -> tuple[int, float] | None:
    """Return the first layer whose output has at least doubled since the best loss, and by how much."""
    if seen.best_probe is None:
        return None
    for number, (then, now) in enumerate(zip(seen.best_probe.layers, seen.probes[-1].layers, strict=True)):
        if then.size and now.size > GROWN * then.size:
            return number, now.size / then.size
    return None
