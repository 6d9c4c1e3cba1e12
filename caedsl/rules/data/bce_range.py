"""Binary cross-entropy with values outside 0..1.

## What it does
Reports `loss bce` (also in a sum) where the input's range goes beyond 0..1, or where the output's activation can.

## Why is this bad?
-t·log(p) - (1 - t)·log(1 - p) is a loss for probabilities. With a target t of 255 it falls without end as p nears
1: on MNIST with pixels of 0..255 a saturated output "reaches" -527. An output outside 0..1 has no logarithm; caedsl
clamps it, and what is clamped has no gradient.

## Example
```cae
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder { upsample 2; conv 16 relu; upsample 2; conv 1 }
train { loss bce }
```

## Instead
```cae
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder { upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }
train { loss bce }
```

## How sure
Arithmetic. A sigmoid at the output is what this loss is made for, so `--fix` adds it; the range of the data, or the
loss, is changed with `--unsafe-fixes`.

## References
- Lasagne/Recipes issue 54: a variational autoencoder whose loss on colour images grows ever more negative.
"""

import re
from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.facts.outputs import activation_of, output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.edits.trial import tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.layer import Layer

RULE = Rule("CAE601", "bce-range", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """The finding at the loss; the range of the data comes before that of the output."""
    if model.train is None or not model.train.loss.probabilities:
        return
    values, layer = model.input.range, output_layer(model)
    if values.low is None or values.high is None or values.low < 0 or values.high > 1:
        yield _data(model)
    elif layer is not None and (activation_of(layer).low < 0 or activation_of(layer).high > 1):
        yield _output(model, layer)


def _data(model: Autoencoder) -> Finding:
    values = model.input.range
    what = "can be any number" if not values.bounded else f"are {values}"
    return RULE.found(
        model.place("train.loss"),
        f"binary cross-entropy needs pixels in 0..1, but they {what}",
        related=(Label(model.input.range_span, f"pixels {what}"),),
        notes=("for a target t > 1, -t·log(p) - (1 - t)·log(1 - p) falls without end as p nears 1",)
        if values.high is not None and values.high > 1
        else (),
        help="declare `in 0..1` (integer images are scaled to it), or use `loss mse`",
        fix=Proposal(lambda: _rescaled(model) or _squared(model)),
    )


def _rescaled(model: Autoencoder) -> Fix | None:
    """The range 0..1, where the output then fits it."""
    if model.input.range_span == model.input.span:
        return None
    edits = (Edit(model.input.range_span, "in 0..1"),)
    changed = tried(model, edits)
    layer = output_layer(changed) if changed else None
    if layer is None or activation_of(layer).name != "sigmoid":
        return None
    return with_suited_rate(model, "scale the images to 0..1", edits, Applicability.UNSAFE)


def _squared(model: Autoencoder) -> Fix | None:
    """The squared error in the place of the cross-entropy."""
    place = model.place("train.loss")
    word = re.search(r"\bbce\b", model.source.slice(place))
    if word is None or "mse" in model.source.slice(place):
        return None
    span = Span(place.start + word.start(), place.start + word.end())
    return with_suited_rate(model, "use the squared error", (Edit(span, "mse"),), Applicability.UNSAFE)


def _output(model: Autoencoder, layer: Layer) -> Finding:
    activation = activation_of(layer)
    span = model.place("decoder") if model.mirrored else layer.place(ACTIVATION)
    called = "has no activation" if activation.name == "linear" else f"is {activation.name}"
    return RULE.found(
        span,
        f"binary cross-entropy needs outputs in 0..1, but the last layer {called}",
        label="the output can leave 0..1",
        related=(Label(model.place("train.loss"), "binary cross-entropy"),),
        help="end the decoder with `sigmoid`, or use `loss mse`",
        fix=Proposal(lambda: _sigmoid(model, layer)),
    )


def _sigmoid(model: Autoencoder, layer: Layer) -> Fix | None:
    """A sigmoid on the last layer, or as the output of the mirror."""
    if model.mirrored:
        chosen = model.places.get("decoder.output")
        if chosen is None:
            return None
        edit = Edit(chosen, "output=sigmoid")
    elif layer in model.bottleneck.inverse or ACTIVATION not in layer.options:
        return None
    else:
        edit = write(layer, ACTIVATION, "sigmoid")
    return Fix("end with a sigmoid", (edit,), Applicability.SAFE) if tried(model, (edit,)) else None
