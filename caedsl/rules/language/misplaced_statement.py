"""`autoencoder` anywhere but at the top.

## What it does
Reports an `autoencoder NAME` that other statements precede.

## Why is this bad?
The name is the title of what follows; a reader looks for it first.

## Example
```cae
input 1x28x28
autoencoder example
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

RULE = Rule("CAE113", "misplaced-statement", Severity.ERROR)
