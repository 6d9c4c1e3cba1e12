"""An allowance of a finding that does not exist.

## What it does
Reports names in `# cae: allow[...]` and `allow NAME` that no rule has, with the nearest that one has.

## Why is this bad?
It allows nothing, and the finding that was meant keeps coming.

## Example
```cae
allow over-complete "a denoiser: the noise is the limit"
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

RULE = Rule("CAE152", "unknown-rule", Severity.WARNING)
