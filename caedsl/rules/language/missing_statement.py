"""A spec without one of the five statements that every spec has.

## What it does
Reports that `autoencoder`, `input`, `encoder`, `bottleneck` or `decoder` is missing. `data`, `train` and `require`
may be left out: such a spec can be checked, drawn and emitted, but not trained.

## Why is this bad?
Without an input there are no sizes, and without encoder, bottleneck and decoder there is no autoencoder.

## Example
```cae
autoencoder example
input 1x28x28
encoder { conv 8 relu; maxpool 2 }
decoder mirror
```

## Instead
```cae
autoencoder example
input 1x28x28
encoder { conv 8 relu; maxpool 2 }
bottleneck
decoder mirror
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE111", "missing-statement", Severity.ERROR)
