"""The spec has training settings but no data.

## What it does
Reports a `train` block in a spec without a `data` line.

## Why is this bad?
`caedsl train` stops immediately, because there are no images. The model is complete: it can be checked, drawn and
emitted, and trained from Python on your own images. So this is not an error.

## Example
```cae
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
train { epochs 10 }
```

## Instead
```cae
data mnist else digits
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
train { epochs 10 }
```

## How sure
Certain for `caedsl train`.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import noun

RULE = Rule("CAE604", "no-data", Severity.WARNING, of_images=True)
_ADVICE = {
    "signal": 'write `data npy "signals.npy"`, or `data csv "table.csv" window=288` for windows of a table',
    "image": 'write `data mnist else digits`, or `data folder "photos/"` for your own images',
    "volume": 'write `data npy "volumes.npy"`, or `data nifti "scans/"`',
}


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the train block."""
    if model.train is not None and "data" not in model.places:
        yield RULE.found(
            model.place("train"),
            "the spec has training settings, but no `data` line",
            help=_ADVICE[noun(model.input.shape)],
        )
