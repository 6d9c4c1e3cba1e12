"""A number outside what its option can mean.

## What it does
Reports negative learning rates, dropout of 100 % and more, zero channels, empty ranges, and numbers beyond 64-bit
arithmetic.

## Why is this bad?
Training with such a number cannot start, or ends in NaN.

## Example
```cae
encoder { conv 16 relu dropout=120%; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu dropout=20%; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE134", "out-of-domain", Severity.ERROR)
