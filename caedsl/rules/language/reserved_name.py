"""A constant with the name of a word of the language.

## What it does
Reports a `let` whose name is a word that stands alone in a spec: a statement, a layer, an activation, a loss, a setting,
a choice such as `batch`, or a short option such as `k3`.

## Why is this bad?
The word has a meaning of its own where the constant would stand: after `let dense = 5`, `bottleneck dense 8` could mean two things.

## Example
```cae
let dense = 16
encoder { conv dense relu; maxpool 2 }
```

## Instead
```cae
let width = 16
encoder { conv width relu; maxpool 2 }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE127", "reserved-name", Severity.ERROR)
