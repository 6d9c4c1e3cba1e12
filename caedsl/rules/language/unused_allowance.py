"""An allowance of a finding that does not come up, or that no one may allow.

## What it does
Reports allowances for which there is no finding on their line (or in their spec), and allowances of errors.

## Why is this bad?
What was once wrong has been put right, or the comment stands on the wrong line. Left in place it would hide the
next fault of that name. Errors cannot be allowed: a model that cannot be built is not built by asking.

## Example
```cae
encoder { conv 8 relu; maxpool 2 }  # cae: allow[overcomplete] the noise is the limit
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE153", "unused-allowance", Severity.WARNING)
