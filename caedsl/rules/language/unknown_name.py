"""A name in the place of a number that no `let` has defined.

## What it does
Reports names used as numbers for which no constant stands above.

## Why is this bad?
The number is unknown.

## Example
```cae
encoder { conv 16 relu l2=decay; maxpool 2 }
```

## Instead
```cae
let decay = 1e-5
encoder { conv 16 relu l2=decay; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE125", "unknown-name", Severity.ERROR)
