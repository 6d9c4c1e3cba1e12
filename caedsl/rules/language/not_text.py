"""A file that is no text.

## What it does
Reports a file with NUL or many other control characters: weights, an image or an archive in the place of a spec.

## Why is this bad?
There is nothing to check in it.

## Example
```text
PK\\x03\\x04\\x14\\x00
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2 }
```

## How sure
Certain for NUL; files with more than 5 % of other control characters are taken for binary.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE105", "not-text", Severity.ERROR)
