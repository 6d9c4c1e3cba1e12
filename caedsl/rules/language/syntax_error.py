"""A statement that cannot be read.

## What it does
Reports a line that is not a word followed by values and `name=value` options, and says what was probably meant: a
comma, a call in parentheses, a colon or a list in brackets is how other notations write it.

## Why is this bad?
What cannot be read cannot be checked. The rest of the spec is read and checked all the same.

## Example
```cae
encoder { conv(64, 3); maxpool 2 }
```

## Instead
```cae
encoder { conv 64 k3; maxpool 2 }
```

## How sure
Certain: the grammar of the language decides.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE101", "syntax-error", Severity.ERROR)
