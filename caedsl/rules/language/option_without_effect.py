"""An option that changes nothing on its line.

## What it does
Reports `affine=` and `eps=` without a normalisation, `groups=` without `norm=group` and `momentum=` without `norm=batch`.

## Why is this bad?
It reads as if it did something: `groups=4` is the normalisation's, and a grouped convolution is `g4`.

## Example
```cae
encoder { conv 16 relu groups=4; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu norm=group groups=4; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE137", "option-without-effect", Severity.ERROR)
