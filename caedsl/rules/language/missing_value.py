"""A word without the value that it needs.

## What it does
Reports layers without their one number (`conv` its channels, `dense` its outputs), settings without theirs, and
`let` or `decoder` with nothing behind them.

## Why is this bad?
There is no sensible default for how many channels a layer has.

## Example
```cae
encoder { conv relu; maxpool 2 }
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

RULE = Rule("CAE132", "missing-value", Severity.ERROR)
