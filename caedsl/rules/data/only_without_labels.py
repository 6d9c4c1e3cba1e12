"""One class is asked for, of images without labels.

## What it does
Reports `only=` on an `npy`, `npz` or `idx` source that names no `labels=`. The published sets bring their labels
along, and a folder has its subfolders.

## Why is this bad?
Nothing says which images are of that class, so the data cannot be read.

## Example
```cae
data npy "images.npy" only=3
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## Instead
```cae
data npy "images.npy" only=3 labels="labels.npy"
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## How sure
Certain.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE605", "only-without-labels", Severity.ERROR, partial=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every such source."""
    for source in model.data:
        if source.only is not None and source.labels is None and source.kind.arrays:
            yield RULE.found(
                source.span,
                f"`only={source.only}` needs labels, and this `{source.name}` source has none",
                help=f"{source.kind.labels}, or leave `only=` out",
                data={"source": source.name},
            )
