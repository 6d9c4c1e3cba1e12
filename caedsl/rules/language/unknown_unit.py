"""A number with letters behind it that are no unit.

## What it does
Reports units other than `k`, `M`, `G` (thousands), `%`, `s`, `min` and `h`.

## Why is this bad?
`64px` or `2d` could mean several things, and a spec never guesses.

## Example
```cae
train { stop after=2d }
```

## Instead
```cae
train { stop after=48h }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE126", "unknown-unit", Severity.ERROR)
