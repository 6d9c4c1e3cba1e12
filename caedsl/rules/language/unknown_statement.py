"""A word at the start of a statement that is no statement.

## What it does
Reports top-level words other than `autoencoder input data let defaults encoder bottleneck decoder train require
allow`, with the nearest of them where one is near.

## Why is this bad?
Every word of a spec is used or is an error: a word that is silently skipped is how a typo becomes a wrong result.

## Example
```cae
latent 32x14x14
```

## Instead
```cae
bottleneck 8x14x14
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE114", "unknown-statement", Severity.ERROR)
