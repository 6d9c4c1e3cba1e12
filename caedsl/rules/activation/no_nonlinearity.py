"""No hidden layer has an activation: the model is a linear autoencoder.

## What it does
Reports an info if everything before the output's activation is one linear map: no activation, no max pool, no
normalisation that depends on the image. For the datasets where it is known, the finding gives the error of PCA, the
best linear autoencoder, at the same code size.

## Why is this bad?
Nothing, if you want a linear code: such a model trained well in a pilot (0.17 to 0.19 of the variance left). But apart
from the output's activation, no number of layers makes it better than PCA, which takes seconds.

## Example
```cae
encoder { conv 16 k4 s2; conv 32 k4 s2 }
```

## Instead
```cae
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }
```

## How sure
Arithmetic: a product of matrices is a matrix.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition".
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.presets import as_published, unexplained_by
from caedsl.facts.signal import is_linear, weighted_layers
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE408", "no-nonlinearity", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the encoder, for models of two weight layers or more."""
    if len(weighted_layers(model)) < 2 or not is_linear(model):
        return
    yield RULE.found(
        model.place("encoder"),
        "no hidden layer has an activation: a linear autoencoder cannot do better than PCA",
        notes=_limit(model),
        help="add `relu` to the hidden layers, unless you want a linear code",
        data={"code": elements(model.code_shape)},
    )


def _limit(model: Autoencoder) -> tuple[str, ...]:
    known, numbers = as_published(model), elements(model.code_shape)
    left = unexplained_by(known, numbers) if known else None
    if left is None or left[0] != numbers:
        return ()
    return (f"PCA with {numbers} numbers leaves {left[1]:.1%} of the variance of {model.data[0].name}",)
