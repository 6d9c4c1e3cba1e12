"""An option or a word that its line does not know.

## What it does
Reports `name=value` options and bare words that the layer kind or statement does not have, with the nearest that it
has or with the spelling for what Keras and PyTorch call it (`kernel_size=3` is `k3`).

## Why is this bad?
An option that is skipped leaves its default in force, and the network differs from what its author believes.

## Example
```cae
encoder { conv 16 k4 strides=2 relu; conv 16 relu }
```

## Instead
```cae
encoder { conv 16 k4 s2 relu; conv 16 relu }
```

## How sure
Certain.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE122", "unknown-option", Severity.ERROR)
