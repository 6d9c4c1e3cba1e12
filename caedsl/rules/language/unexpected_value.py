"""A value that has no place on its line.

## What it does
Reports a second bare number on a layer, a value between a statement and its block, and lines of `loss` or `require`
that are neither a loss nor a bound.

## Why is this bad?
In `conv 64 3` the 3 could be a kernel or a stride: named, it is one of them.

## Example
```cae
encoder { conv 64 3 relu; maxpool 2 }
```

## Instead
```cae
encoder { conv 64 k3 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE131", "unexpected-value", Severity.ERROR)
