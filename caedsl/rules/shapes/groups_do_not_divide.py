"""Groups that do not divide the channels.

## What it does
Reports grouped and depthwise convolutions, group normalisation and `pixelshuffle` on a number of channels that is
no multiple.

## Why is this bad?
Every group has the same number of channels.

## Example
```cae
encoder { conv 12 relu; conv 16 g8 relu; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu; conv 16 g8 relu; maxpool 2 }
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE207", "groups-do-not-divide", Severity.ERROR)
