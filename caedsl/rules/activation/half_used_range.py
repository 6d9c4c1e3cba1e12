"""The output's range is at least twice as wide as that of the images.

## What it does
Reports an info if at least half of the range of a bounded output is never needed, as with tanh for images in 0..1.

## Why is this bad?
It does little harm. In a pilot on MNIST and Fashion-MNIST, tanh on 0..1 trained as well as a sigmoid (0.16 to 0.21 of
the variance left, against 0.19 to 0.22). The only effect is that reconstructions can contain values that no image has.

## Example
```cae
decoder { conv 8 relu; upsample 2; conv 1 tanh }
```

## Instead
```cae
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
Measured to be harmless, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.outputs import output_layer, takes_probabilities, wasted_range
from caedsl.facts.presets import pixel_range
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.output import output_place
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE402", "half-used-range", Severity.INFO)

HALF = 0.5


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the output's activation; `bce-range` covers outputs with a cross-entropy."""
    layer, wasted = output_layer(model), wasted_range(model)
    if layer is None or wasted < HALF or takes_probabilities(model):
        return
    activation, values = layer.activation, pixel_range(model)
    yield RULE.found(
        output_place(model, layer),
        f"{activation.name} returns {activation.low:g}..{activation.high:g}, but the images are in {values}: "
        f"{wasted:.0%} of the range is unused; this does little harm",
        related=(Label(model.target.range_span, f"images are in {values}"),),
        data={"low": activation.low, "high": activation.high, "unused": wasted},
    )
