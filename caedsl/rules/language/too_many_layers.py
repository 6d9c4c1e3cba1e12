"""More than two thousand layers.

## What it does
Reports repeats that write out more than 2,000 layers.

## Why is this bad?
The deepest published convolutional networks have about a thousand layers (He et al. 2016, arXiv 1603.05027); more
is nearly always a repeat with a slip of the finger in its number.

## Example
```cae
encoder { conv 8 relu x20000; maxpool 2 }
```

## Instead
```cae
encoder { conv 8 relu x2; maxpool 2 }
```

## How sure
The count is exact, the limit a choice.

## References
- He, Zhang, Ren and Sun 2016, "Identity mappings in deep residual networks", arXiv 1603.05027.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE142", "too-many-layers", Severity.ERROR)
