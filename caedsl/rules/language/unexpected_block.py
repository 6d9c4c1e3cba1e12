"""A block behind a word that takes none.

## What it does
Reports `{ ... }` behind a single layer, a setting, or a statement such as `input`.

## Why is this bad?
What stands in the block would belong to nothing.

## Example
```cae
encoder { conv 16 { relu }; maxpool 2 }
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

RULE = Rule("CAE116", "unexpected-block", Severity.ERROR)
