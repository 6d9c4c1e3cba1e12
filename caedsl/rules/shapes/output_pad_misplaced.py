"""An `output_pad` that cannot be.

## What it does
Reports `output_pad=` with `pad=same`, which computes it, and values that are not below the stride or the dilation.

## Why is this bad?
PyTorch refuses it: an output padding says which of the sizes that stride to the same input is meant, and there are
only as many as the stride has steps.

## Example
```cae
encoder { conv 8 k4 s2 relu }
decoder { deconv 8 s2 relu output_pad=1; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 8 k4 s2 relu }
decoder { deconv 8 s2 relu pad=1 output_pad=1; conv 1 sigmoid }
```

## How sure
Arithmetic, and the documentation of `torch.nn.ConvTranspose2d`.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE209", "output-pad-misplaced", Severity.ERROR)
