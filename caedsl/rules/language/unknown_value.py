"""A word where one of a few others is wanted.

## What it does
Reports losses, optimisers, schedules, data sources, paddings and other choices that do not exist, with the list or
the nearest.

## Why is this bad?
There is no meaning to fall back on.

## Example
```cae
train { optimizer adma lr=1e-3 }
```

## Instead
```cae
train { optimizer adam lr=1e-3 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE124", "unknown-value", Severity.ERROR)
