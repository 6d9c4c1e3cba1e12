"""More than a hundred findings in one spec.

## What it does
Counts the findings that are not shown. Of more than a hundred, errors are shown first, then warnings.

## Why is this bad?
Nobody reads thousands of findings, and most of them go with the first ones: one wrong line in a long text, or a file that is
no spec at all.

## Example
```cae
encoder { conv 8 relu 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105; maxpool 2 }
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2 }
```

## How sure
The count is exact up to ten thousand.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE106", "too-many-findings", Severity.INFO)
