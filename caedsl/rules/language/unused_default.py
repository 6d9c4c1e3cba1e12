"""A `defaults` line that no layer uses.

## What it does
Reports a `defaults` line when no layer of its kind stands below it, or when each of them states all of its options itself.

## Why is this bad?
The line reads as if it shaped the model. A `defaults` line below the encoder, or one for a kind that only a mirrored decoder
has, changes nothing.

## Example
```cae
defaults deconv k5 relu
encoder { conv 16 relu; maxpool 2 }
```

## Instead
```cae
defaults conv k5
encoder { conv 16 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE144", "unused-default", Severity.WARNING)
