"""A value of another kind than the option takes.

## What it does
Reports fractions where a whole number is wanted, shapes with two numbers where three are, words where a number is.

## Why is this bad?
Rounding or guessing would build another network than the one written.

## Example
```cae
encoder { conv 16.5 relu; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE133", "wrong-type", Severity.ERROR)
