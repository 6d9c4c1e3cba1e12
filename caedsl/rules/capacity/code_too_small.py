"""Even the best linear code of this size loses most of the images' variance.

## What it does
Looks up how much of the variance the best linear code of the same size keeps, for the datasets whose principal
components are known. It reports an info if more than half is lost and a warning if more than 80 % is. A code of two or
three numbers is assumed to be meant for plots, so the finding is only an info.

## Why is this bad?
PCA is the best linear autoencoder. A convolutional one is seldom much better: in a pilot on MNIST a code of 2 left 85 %
of the variance (PCA 83 %), and a code of 8 left 47 % (PCA 56 %).

## Example
```cae
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 16 relu; maxpool 2 }
bottleneck dense 1
```

## Instead
```cae
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 16 relu; maxpool 2 }
bottleneck dense 32
```

## How sure
Measured, and exact for linear codes; a convolutional one may keep more. For other data, `caedsl doctor` measures it.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition".
"""

from collections.abc import Iterator
from math import ceil

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.presets import as_published, unexplained_by
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.presets import Preset
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE306", "code-too-small", Severity.WARNING)

MUCH, MOST = 0.5, 0.8
"""Report an info above the first share of lost variance, and a warning above the second (heuristics)."""

SKETCH = (2, 3)
"""Assume that codes of these sizes are made for plots; a single number is not a picture."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck line."""
    known, numbers = as_published(model), elements(model.code_shape)
    measured = unexplained_by(known, numbers) if known else None
    if known is None or measured is None or measured[1] <= MUCH:
        return
    size, lost = measured
    exactly = size == numbers
    enough = _enough(known)
    own = counted(numbers, "number")
    yield RULE.found(
        model.bottleneck.span,
        f"the best linear code of {own} keeps {_share(1 - lost, exactly)} of the variance of {model.data[0].name}; "
        f"{enough} would keep {1 - known.unexplained[enough]:.0%}",
        label=f"a code of {own}",
        notes=(
            f"PCA leaves {'' if exactly else 'more than '}{lost:.1%} with {numbers}, "
            f"{known.unexplained[enough]:.1%} with {enough}; a convolutional code may do better",
        ),
        help="use a larger code, unless the code is meant for plots",
        fix=_larger(model, enough),
        severity=None if numbers not in SKETCH and (numbers == 1 or lost > MOST) else Severity.INFO,
        data={"code": numbers, "lost": lost, "enough": enough},
    )


def _share(kept: float, exactly: bool) -> str:
    return f"{kept:.0%}" if exactly else f"less than {ceil(100 * kept)}%"


def _enough(known: Preset) -> int:
    """Return the smallest measured size that keeps at least three quarters of the variance."""
    return min(size for size, lost in known.unexplained.items() if lost <= 1 - 0.75)


def _larger(model: Autoencoder, enough: int) -> Fix | None:
    made = model.bottleneck.layers[-1] if model.bottleneck.layers else None
    place = made.spans.get(UNITS.name) if made else None
    if place is None:
        return None
    return Fix(f"use a code of {enough} numbers", (Edit(place, str(enough)),), Applicability.UNSAFE)
