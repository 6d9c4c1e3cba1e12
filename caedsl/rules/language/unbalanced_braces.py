"""A brace without its partner.

## What it does
Reports a block that is opened and never closed, and a closing brace that closes nothing.

## Why is this bad?
Everything after a missing brace lands in the wrong block. Where the indentation shows which block was left open,
the finding stands there and the rest is read as it was meant.

## Example
```cae
encoder {
  conv 16 relu
  maxpool 2
```

## Instead
```cae
encoder {
  conv 16 relu
  maxpool 2
}
```

## How sure
Certain: braces are counted.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE102", "unbalanced-braces", Severity.ERROR)
