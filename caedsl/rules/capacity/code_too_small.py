"""The best linear code of this size keeps little of the images.

## What it does
For the data sets whose principal components are known, looks up how much of the variance the best linear code of
the same size keeps. It informs where more than half is lost and warns where more than 80 % is; a code of two or
three numbers is taken for one that is made to be looked at, and only informs.

## Why is this bad?
PCA is the best linear autoencoder. A convolutional one beats it, but seldom by a lot: in a pilot on MNIST a code of
2 left 85 % of the variance where PCA leaves 83 %, a code of 8 left 47 % where PCA leaves 56 %.

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
Measured, and exact for linear codes; a convolutional one may keep more. Elsewhere `caedsl doctor` measures it on
your data.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition".
"""

from collections.abc import Iterator
from math import ceil

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.presets import Preset, as_published, unexplained_by
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE306", "code-too-small", Severity.WARNING)

MUCH, MOST = 0.5, 0.8
"""Shares of the variance lost above which it informs and warns (rules of thumb)."""

SKETCH = (2, 3)
"""Codes of so many numbers are plotted."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck line."""
    known, numbers = as_published(model), elements(model.code_shape)
    measured = unexplained_by(known, numbers) if known else None
    if known is None or measured is None or measured[1] <= MUCH:
        return
    size, lost = measured
    exactly = size == numbers
    enough = _enough(known)
    counted = f"{numbers} number{'' if numbers == 1 else 's'}"
    yield RULE.found(
        model.bottleneck.span,
        f"the best linear code of {counted} keeps {_share(1 - lost, exactly)} of the variance of "
        f"{model.data[0].name}; {enough} would keep {1 - known.unexplained[enough]:.0%}",
        label=f"a code of {counted}",
        notes=(
            f"PCA leaves {'' if exactly else 'more than '}{lost:.1%} with {numbers}, "
            f"{known.unexplained[enough]:.1%} with {enough}; a convolutional code may do better",
        ),
        help="for a map to look at it is right; for reconstructions use a larger code",
        fix=_larger(model, enough),
        severity=None if lost > MOST and numbers not in SKETCH else Severity.INFO,
        data={"code": numbers, "lost": lost, "enough": enough},
    )


def _share(kept: float, exactly: bool) -> str:
    return f"{kept:.0%}" if exactly else f"less than {ceil(100 * kept)}%"


def _enough(known: Preset) -> int:
    """Return the smallest size measured that keeps at least three quarters of the variance."""
    return min(size for size, lost in known.unexplained.items() if lost <= 1 - 0.75)


def _larger(model: Autoencoder, enough: int) -> Fix | None:
    made = model.bottleneck.layers[-1] if model.bottleneck.layers else None
    place = made.spans.get("units") if made else None
    if place is None:
        return None
    return Fix(f"use a code of {enough} numbers", (Edit(place, str(enough)),), Applicability.UNSAFE)
