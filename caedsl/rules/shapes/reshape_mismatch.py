"""A `reshape` to a shape with another number of values.

## What it does
Compares the products of both shapes.

## Why is this bad?
A reshape moves numbers; it can neither make nor drop any.

## Example
```cae
encoder { conv 8 relu; maxpool 2; reshape 8x7x7 }
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2; reshape 32x7x7 }
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.rule import Rule

RULE = Rule("CAE205", "reshape-mismatch", Severity.ERROR)
