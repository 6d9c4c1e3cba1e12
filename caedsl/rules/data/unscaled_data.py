"""Pixels of tens or hundreds where networks are made for numbers around one.

## What it does
Reports a declared range that goes beyond -10..10, such as `in 0..255`. With SGD it warns, because its steps grow
with the square of the range; with Adam and an unbounded output it only informs. An output that cannot reach such
values is `output-range`'s, and a cross-entropy on them `bce-range`'s.

## Why is this bad?
The loss of 0..255 images is 65,025 times that of 0..1 images, and every rate, penalty and weight that was found for
one is wrong for the other. Adam divides the scale out: in a pilot a linear output on 0..255 trained as well as on
0..1.

## Example
```cae
input 1x28x28 in 0..255
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder mirror
train { loss mse; optimizer sgd lr=1e-2 momentum=0.9 }
```

## Instead
```cae
input 1x28x28 in 0..1
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder mirror
train { loss mse; optimizer adam lr=1e-3 }
```

## How sure
The factor is arithmetic; that SGD then fails at usual rates is experience (a heuristic), that Adam does not was
measured.

## References
- keras-team/keras issue 3642: images of 0..255, and a maintainer's advice to normalise them.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Proposal, Severity
from caedsl.facts.outputs import unreachable
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE602", "unscaled-data", Severity.WARNING)

LARGEST = 10
"""Values beyond this are not scaled (DeepDiagnosis and others take 1; standardised pixels reach about 3)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """The finding at the declared range."""
    values = model.input.range
    if values.low is None or values.high is None or max(-values.low, values.high) <= LARGEST or _spoken_for(model):
        return
    width = values.high - values.low
    plain = model.train is not None and model.train.optimizer.kind.scales
    yield RULE.found(
        model.input.range_span,
        f"pixels are {values}: squared errors are {width * width:,.0f} times those of 0..1"
        + (", and the steps of SGD with them" if plain else ""),
        help="declare `in 0..1`: integer images are scaled to it",
        fix=Proposal(lambda: _scaled(model)),
        severity=None if plain else Severity.INFO,
    )


def _scaled(model: Autoencoder) -> Fix | None:
    """The range 0..1, where everything else takes it."""
    edits = (Edit(model.input.range_span, "in 0..1"),)
    if tried(model, edits) is None:
        return None
    return with_suited_rate(model, "scale the images to 0..1", edits, Applicability.UNSAFE)


def _spoken_for(model: Autoencoder) -> bool:
    """Whether the range is wrong for the output or the loss, which is said by other rules."""
    cross_entropy = model.train is not None and model.train.loss.probabilities
    return cross_entropy or unreachable(model) is not None
