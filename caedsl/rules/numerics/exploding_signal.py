"""The signal grows so much through the layers that training starts badly.

## What it does
Follows the variance of the image through the layers, as `fading-signal` does, and warns if it grows above 1e8.

## Why is this bad?
Outputs and gradients then start ten thousand times too large. Residual blocks without a normalisation cause this: each
doubles the variance, and 30 of them double it 30 times.

## Example
```cae
encoder { conv 16 relu; repeat 30 { residual { conv 16 relu; conv 16 init=he } }; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu; repeat 30 { residual { conv 16 relu norm=batch; conv 16 norm=batch } }; maxpool 2 }
```

## How sure
The gain is arithmetic; the limit of 1e8 is a heuristic.

## References
- Zhang et al. 2019, "Fixup initialization: residual learning without normalization", arXiv 1901.09321.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.signal import signal_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE802", "exploding-signal", Severity.WARNING)

LARGE = 8.0
"""Warn above this power of ten of the signal's variance."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the layer with the largest signal."""
    largest = max(signal_path(model), key=lambda gain: gain.total, default=None)
    if largest is None or largest.total <= LARGE:
        return
    growing = [gain for gain in signal_path(model) if gain.own > 0]
    yield RULE.found(
        largest.layer.span,
        f"{len(growing)} layers multiply the image's variance by 1e{largest.total:.0f} before training",
        label="largest here",
        notes=(f"{10 ** (sum(gain.own for gain in growing) / len(growing)):.3g} per layer on average",),
        help="add a normalisation (`norm=batch`) to the layers, or inside the residual blocks",
        data={"layers": len(growing), "power_of_ten": largest.total},
    )
