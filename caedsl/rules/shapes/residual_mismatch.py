"""A residual whose input no 1x1 projection can bring to its output's shape.

## What it does
Reports residual groups that change the size in a way that a strided 1x1 convolution does not share (a pool that
rounds down on an odd size), or that turn a map into a vector.

## Why is this bad?
A sum needs two tensors of one shape.

## Example
```cae
input 1x27x27
encoder { conv 8 relu; residual { conv 8 relu; maxpool 2 } }
```

## Instead
```cae
input 1x27x27
encoder { conv 8 relu; residual { conv 8 relu; conv 8 s2 } }
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE208", "residual-mismatch", Severity.ERROR)
