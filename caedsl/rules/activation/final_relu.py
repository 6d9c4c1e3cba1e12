"""The decoder ends in a ReLU, which can die and then always returns 0.

## What it does
Warns about a ReLU at the output if no pixel can be negative. For images with negative pixels, `output-range` reports an
error.

## Why is this bad?
The output has one unit per channel. If its input becomes negative for every image, the output is 0 everywhere and so is
the gradient: the unit cannot recover. In a pilot on MNIST and Fashion-MNIST this happened in 4 of 8 runs, all with the
same seed; the others trained well. Changing the seed does not remove the cause.

## Example
```cae
decoder { conv 8 relu; upsample 2; conv 1 relu }
```

## Instead
```cae
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
Measured on two datasets: half of the runs died. A run may still train well.

## References
- FluxML/model-zoo pull request 34: a final ReLU leaves Fashion-MNIST black.
- carpedm20/visual-analogy-tensorflow issue 1: a ReLU left at the end of the decoder.
"""

from collections.abc import Iterator
from functools import partial

from caedsl.diagnostics.finding import Applicability, Finding, Proposal, Severity
from caedsl.facts.outputs import NOTICEABLE, output_layer, takes_probabilities, unreachable
from caedsl.facts.value_bounds import ANY, bounds_before
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.output import activation_edit, fitting_activation, output_place
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layers.activation import ActivationLine

RULE = Rule("CAE403", "final-relu", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the output's activation, unless the range or a cross-entropy rules out a ReLU."""
    layer, missed = output_layer(model), unreachable(model)
    if layer is None or not layer.activation.function.dies or takes_probabilities(model):
        return
    if model.out_shape != model.target.shape:  # the output layer is probably missing
        return
    if isinstance(layer.kind, ActivationLine) and layer.activation.keeps(*bounds_before(model).get(layer, ANY)):
        return
    if missed is not None and missed.share > NOTICEABLE:
        return
    instead = fitting_activation(model)
    edit = activation_edit(model, layer, instead)
    yield RULE.found(
        output_place(model, layer),
        f"the output ends in `{layer.activation}`: if its input becomes negative for every image, the output stays 0",
        label="can die: no gradient for negative inputs",
        help=f"end the decoder with `{instead}`",
        fix=edit and Proposal(partial(with_suited_rate, model, f"end with `{instead}`", (edit,), Applicability.UNSAFE)),
        data={"activation": layer.activation.name},
    )
