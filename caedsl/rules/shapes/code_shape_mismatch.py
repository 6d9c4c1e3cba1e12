"""The code does not have the shape that the bottleneck asserts.

## What it does
Compares `bottleneck CxHxW` with what the encoder returns, and shows the sizes of all layers.

## Why is this bad?
A layer was changed, and the code no longer has the shape that the author relies on.

## Example
```cae
encoder { conv 8 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
bottleneck 8x14x14
```

## Instead
```cae
encoder { conv 8 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
bottleneck 8x7x7
```

## How sure
Arithmetic. If the encoder has one pool too many, a fix removes it; otherwise only the author knows what was meant.
"""

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.sizes import encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window

RULE = Rule("CAE203", "code-shape-mismatch", Severity.ERROR)


def repair(model: Autoencoder, finding: Finding) -> Fix | None:
    """Remove a pool of the encoder if the code then has the asserted shape and the output the input's size."""
    pools = {layer.span: layer for layer in reversed(encoder_path(model)) if layer.kind.window is Window.POOL}
    for span in pools:
        edits = (removal(model.source.text, span),)
        changed = tried(model, edits)
        if changed is not None and changed.out_shape == changed.target.shape:
            return Fix(f"remove this `{model.source.slice(span)}`", edits, Applicability.UNSAFE)
    return None
