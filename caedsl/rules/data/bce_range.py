"""Binary cross-entropy with values outside 0..1.

## What it does
Reports `loss bce` (also as part of a sum) if the input's range or the output's activation goes beyond 0..1.

## Why is this bad?
-t·log(p) - (1 - t)·log(1 - p) is a loss for probabilities. With a target t of 255 it falls without bound as p
approaches 1: on MNIST with pixels of 0..255 a saturated output "reaches" -527. The logarithm of an output outside 0..1
is undefined; caedsl clamps the output, and clamped values have no gradient.

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
Arithmetic. This loss is meant for a sigmoid output, so `--fix` adds one; `--unsafe-fixes` changes the loss.

## References
- Lasagne/Recipes issue 54: a variational autoencoder whose loss on colour images grows ever more negative.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.output import activation_edit, fitting_activation
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.edits.settings import replace_word
from caedsl.rules.edits.trial import tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import ACTIVATION, LINEAR
from caedsl.vocabulary.layer import Layer

RULE = Rule("CAE601", "bce-range", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the loss; check the range of the data before that of the output."""
    if model.train is None or not model.train.loss.probabilities:
        return
    values, layer = model.output_range, output_layer(model)
    if values.low is None or values.high is None or values.low < 0 or values.high > 1:
        yield _data(model)
    elif layer is not None and (layer.activation.low < 0 or layer.activation.high > 1):
        yield _output(model, layer)


def _data(model: Autoencoder) -> Finding:
    values = model.output_range
    what = "can be any number" if not values.bounded else f"are {values}"
    return RULE.found(
        model.place("train.loss"),
        f"binary cross-entropy needs pixels in 0..1, but these {what}",
        related=(Label(model.target.range_span, f"pixels {what}"),),
        notes=("for a target t > 1, -t·log(p) - (1 - t)·log(1 - p) falls without bound as p approaches 1",)
        if values.high is not None and values.high > 1
        else (),
        help="use `loss mse`, or declare `in 0..1` if the data are integers, which are then scaled",
        fix=Proposal(lambda: _squared(model)),
        data={"low": values.low, "high": values.high},
    )


def _squared(model: Autoencoder) -> Iterator[Fix]:
    """Yield the squared error instead of the cross-entropy, alone and then with an output that covers the data.

    The declared range is never changed: only the author knows the data.
    """
    assert model.train is not None
    terms, output = model.train.loss.terms, output_layer(model)
    edits = replace_word(model, "loss", terms[0].name, "mse") if len(terms) == 1 else ()
    if not edits:
        return
    yield with_suited_rate(model, "use `loss mse`", edits, Applicability.UNSAFE)
    fitting = fitting_activation(model)
    change = activation_edit(model, output, fitting) if output is not None else None
    if change is not None:
        both = sorted((*edits, change), key=lambda edit: edit.span)
        yield with_suited_rate(model, f"use `loss mse` and end with `{fitting}`", both, Applicability.UNSAFE)


def _output(model: Autoencoder, layer: Layer) -> Finding:
    activation = layer.activation
    span = model.place("decoder") if model.mirrored else layer.place(ACTIVATION)
    called = "has no activation" if activation == LINEAR else f"is {activation.name}"
    return RULE.found(
        span,
        f"binary cross-entropy needs outputs in 0..1, but the last layer {called}",
        label="the output can leave 0..1",
        related=(Label(model.place("train.loss"), "binary cross-entropy"),),
        help="end the decoder with `sigmoid`, or use `loss mse`",
        fix=Proposal(lambda: _sigmoid(model, layer)),
        data={"low": activation.low, "high": activation.high},
    )


def _sigmoid(model: Autoencoder, layer: Layer) -> Fix | None:
    """Return edits that add a sigmoid to the last layer, or to the output of the mirror."""
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
