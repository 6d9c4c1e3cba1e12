"""An allowance that does not say what it allows, or why.

## What it does
Reports `# cae: allow` without a name in brackets or without a reason behind it, and `allow NAME` without a reason.

## Why is this bad?
The reason is what the next reader needs: without it nobody knows whether the finding was understood or only
silenced. Such an allowance has no effect.

## Example
```cae
encoder { conv 64 relu }  # cae: allow[no-bottleneck]
```

## Instead
```cae
encoder { conv 64 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE151", "allowance-without-reason", Severity.WARNING)
