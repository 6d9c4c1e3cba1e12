"""A word in `train` or `require` that is no setting.

## What it does
Reports settings that do not exist, with the nearest that does or with the line that says the same.

## Why is this bad?
A learning rate under a wrong name would leave the default in force for a whole training.

## Example
```cae
train { learning_rate 1e-4 }
```

## Instead
```cae
train { optimizer adam lr=1e-4 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE123", "unknown-setting", Severity.ERROR)
