"""A quotation mark without its partner on the same line.

## What it does
Reports a string that is opened and not closed before its line ends. Strings are for paths, and no path spans two
lines.

## Why is this bad?
The rest of the line would become part of the path.

## Example
```cae
data folder "photos/
```

## Instead
```cae
data folder "photos/"
```

## How sure
Certain: quotation marks are counted.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE103", "unclosed-string", Severity.ERROR)
