"""An `output_pad` that PyTorch rejects.

## What it does
Reports `output_pad=` together with `pad=same`, which computes it, and values that are not smaller than the stride or
the dilation.

## Why is this bad?
PyTorch raises an error. An output padding selects one of the sizes that a strided convolution maps to the same size,
and there are only as many of them as the stride.

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
Arithmetic, and the documentation of `torch.nn.ConvTranspose2d`. Usually the stride was forgotten: if a stride makes the
decoder return the input's size, `--unsafe-fixes` adds it.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span

RULE = Rule("CAE209", "output-pad-misplaced", Severity.ERROR)

_STRIDES = (2, 3, 4)


def repair(model: Autoencoder, finding: Finding) -> Iterator[Fix]:
    """Yield the strides with which the output padding is valid and the decoder returns the input's size."""
    start = finding.primary.span.start
    for stride in _STRIDES:
        edits = (Edit(Span(start, start), f"s{stride} "),)
        changed = tried(model, edits)
        if changed is not None and changed.out_shape == changed.target.shape:
            yield Fix(f"add the missing stride: `s{stride}`", edits, Applicability.UNSAFE)
