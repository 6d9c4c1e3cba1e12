"""A control character that changes the direction of text.

## What it does
Reports the characters U+202A to U+202E and U+2066 to U+2069 in comments and strings. They are invisible, and an editor
may show the text around them in another order than caedsl reads it.

## Why is this bad?
A reviewer approves what the screen shows, and the compiler reads something else (Boucher and Anderson 2021, CVE-2021-42574).

## Example
```text
autoencoder example # \\u202e the rest of this comment reads backwards
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2 } # this comment reads as it is written
```

## How sure
The characters are there. Text that is written from right to left does not need them.

## References
- Boucher and Anderson 2021, "Trojan Source: invisible vulnerabilities", arXiv 2111.00169.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE107", "bidirectional-control", Severity.WARNING)
