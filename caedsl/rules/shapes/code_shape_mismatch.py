"""The code has another shape than the bottleneck asserts.

## What it does
Compares `bottleneck CxHxW` with what the encoder returns, and shows the sizes on the way there.

## Why is this bad?
The assertion is there to be held: a layer was changed, and the code is no longer what the author counted on.

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
Arithmetic. Where the encoder has one pool too many, a fix leaves it out; what else was meant only the author knows.
"""

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.sizes import encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.size_repair import line_removed
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window

RULE = Rule("CAE203", "code-shape-mismatch", Severity.ERROR)


def repair(model: Autoencoder, finding: Finding) -> Fix | None:
    """Leave a pool of the encoder out, where the code is then what is asserted and the input's size comes back."""
    pools = {layer.span: layer for layer in reversed(encoder_path(model)) if layer.kind.window is Window.POOL}
    for span in pools:
        edits = (line_removed(model, span),)
        changed = tried(model, edits)
        if changed is not None and changed.out_shape == changed.target.shape:
            return Fix(f"leave this `{model.source.slice(span)}` out", edits, Applicability.UNSAFE)
    return None
