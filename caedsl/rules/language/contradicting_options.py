"""Two options of which only one can hold.

## What it does
Reports `upsample 2 to 14x14`: a factor and a size at once.

## Why is this bad?
Where they agree one is enough, and where they do not there is no right answer.

## Example
```cae
decoder { upsample 2 to 28x28; conv 1 sigmoid }
```

## Instead
```cae
decoder { upsample to 28x28; conv 1 sigmoid }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE136", "contradicting-options", Severity.ERROR)
