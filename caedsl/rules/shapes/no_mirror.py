"""An encoder that `decoder mirror` cannot undo.

## What it does
Reports layers without a twin (`pixelshuffle`, an `upsample to` a size that does not divide), a manner of enlarging
that cannot reach an odd size, and a divisor of channels that leaves a remainder.

## Why is this bad?
A mirror is exact or it is not made: an approximate one would not return the input's size.

## Example
```cae
encoder { conv 16 relu; pixelshuffle 2; conv 8 k4 s4 relu }
decoder mirror
```

## Instead
```cae
encoder { conv 16 relu; pixelshuffle 2; conv 8 k4 s4 relu }
decoder { deconv 8 k4 s2 relu; conv 1 sigmoid }
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE210", "no-mirror", Severity.ERROR)
