"""The code has another shape than the bottleneck asserts.

## What it does
Compares `bottleneck CxHxW` with what the encoder returns, and shows the sizes on the way there.

## Why is this bad?
The assertion is there to be held: a layer was changed, and the code is no longer what the author counted on.

## Example
```cae
encoder { conv 8 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
bottleneck 8x14x14
```

## Instead
```cae
encoder { conv 8 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
bottleneck 8x7x7
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.rule import Rule

RULE = Rule("CAE203", "code-shape-mismatch", Severity.ERROR)
