"""A window that is larger than the map it moves over.

## What it does
Reports convolutions and pools whose (dilated) kernel does not fit into the padded map, padding that mirrors more
than the map has, and transposed convolutions whose padding cuts everything away.

## Why is this bad?
The output would have no pixels. Most often there is one reduction more than the image has room for.

## Example
```cae
encoder { conv 8 relu; maxpool 2; conv 8 k15 pad=valid relu }
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2; conv 8 k5 pad=valid relu }
```

## How sure
Arithmetic: floor((size + 2·pad - extent) / stride) + 1 must be at least 1, with extent = dilation·(kernel - 1) + 1.

## References
- Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE204", "kernel-too-large", Severity.ERROR)
