"""Blocks or parentheses nested beyond any use.

## What it does
Reports blocks inside more than 32 blocks, parentheses as deep, and sums of more than 100 operators.

## Why is this bad?
No reader follows it, and a file of ten thousand open braces must not exhaust the program that reads it.

## Example
```cae
let width = ((((((((((((((((((((((((((((((((((((((8))))))))))))))))))))))))))))))))))))))
encoder { conv width relu; maxpool 2 }
```

## Instead
```cae
let width = 8
encoder { conv width relu; maxpool 2 }
```

## How sure
Certain; the limit itself is a choice, far beyond what published networks need.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE104", "nested-too-deeply", Severity.ERROR)
