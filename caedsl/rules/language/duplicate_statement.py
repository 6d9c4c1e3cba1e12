"""A statement, a setting or a constant that stands twice.

## What it does
Reports the second of two statements where a spec has room for one: a second `encoder`, a second `batch` in `train`,
a second `let` of the same name.

## Why is this bad?
One of the two would be ignored, and nothing in a spec is ignored.

## Example
```cae
train { batch 64; batch 128 }
```

## Instead
```cae
train { batch 128 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE112", "duplicate-statement", Severity.ERROR)
