"""An option that is given twice on one line.

## What it does
Reports the second of two values for the same option, also where one of them is short (`k3 kernel=5`) or a second
activation.

## Why is this bad?
One of the two would be ignored.

## Example
```cae
encoder { conv 16 k3 k5 relu; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 k5 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE135", "duplicate-option", Severity.ERROR)
