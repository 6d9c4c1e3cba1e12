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
Arithmetic, and the documentation of `torch.nn.ConvTranspose2d`. Most often the stride was forgotten: where a stride
makes the decoder return the input's size, `--unsafe-fixes` writes it.
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
    """Yield the strides with which the output padding is right and the input's size comes back."""
    start = finding.primary.span.start
    for stride in _STRIDES:
        edits = (Edit(Span(start, start), f"s{stride} "),)
        changed = tried(model, edits)
        if changed is not None and changed.out_shape == changed.target.shape:
            yield Fix(f"write the stride that is missing: `s{stride}`", edits, Applicability.UNSAFE)
