"""A layer kind that does not exist.

## What it does
Reports a line in `encoder` or `decoder` whose first word is no layer kind, with the nearest kind; the names that
Keras and PyTorch use (`Conv2D`, `Linear`, `UpSampling2D`) lead to the right one.

## Why is this bad?
The layer cannot be built. Where a near kind is found, the shapes behind it are checked as if it had been written.

## Example
```cae
encoder { cnov 16 relu; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE121", "unknown-layer", Severity.ERROR)
