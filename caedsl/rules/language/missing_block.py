"""A statement without the block that it needs.

## What it does
Reports `encoder`, `train`, `require`, `residual`, `repeat` and `stage` without `{ ... }`, and an encoder or decoder
whose block is empty.

## Why is this bad?
There is nothing inside to build or to set.

## Example
```cae
encoder {}
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

RULE = Rule("CAE115", "missing-block", Severity.ERROR)
