"""A part of the language that caedsl cannot build yet.

## What it does
Reports `bottleneck variational` and `bottleneck quantized`, which the language reserves.

## Why is this bad?
The model cannot be built; a plain autoencoder in its place would be another model.

## Example
```cae
bottleneck variational 32 beta=1
```

## Instead
```cae
bottleneck dense 32
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE141", "not-supported", Severity.ERROR)
