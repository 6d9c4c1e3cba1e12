"""A constant that nothing uses.

## What it does
Reports a `let` whose name stands nowhere else in the spec.

## Why is this bad?
A number that looks as if it steered the model and does not misleads whoever changes it.

## Example
```cae
let width = 32
encoder { conv 16 relu; maxpool 2 }
```

## Instead
```cae
let width = 32
encoder { conv width relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE143", "unused-constant", Severity.WARNING)
