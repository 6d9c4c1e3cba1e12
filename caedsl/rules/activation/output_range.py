"""The output's activation cannot reach the values that the images have.

## What it does
Compares the range of the last activation with the range of the images, and computes how much of the images is out of
reach for ever: E[(x - clip(x, low, high))²] as a share of the squared error of the mean image. It is an error above
10 %, a warning above 1 %. For MNIST, Fashion-MNIST and the digits the pixels were counted; for other images they are
taken as spread evenly over the declared range, and an input that is `real` as standard normal, where this rule never
says more than a warning.

## Why is this bad?
No training can undo it. MNIST in -1..1 behind a sigmoid has a least error of 3.1 times that of one picture of the mean
for all images: 81 % of the pixels are black, and black is out of reach. In a pilot such models ended at 3.4 times
(Fashion-MNIST 1.9); standardised data behind a ReLU at 0.4 to 1.4, behind a sigmoid at 0.74.

## Example
```cae
input 1x28x28 in -1..1
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
input 1x28x28 in -1..1
decoder { conv 8 relu; upsample 2; conv 1 tanh }
```

## How sure
Arithmetic, given that the images are what the spec declares. An error is repaired by `--fix`: nothing that works is
changed.

## References
- yzhao062/pyod issue 651: a ReLU at the output and data below zero; the default became linear.
"""

from collections.abc import Iterator
from functools import partial

from caedsl.diagnostics.finding import Applicability, Finding, Label, Proposal, Severity
from caedsl.facts.outputs import NOTICEABLE, Unreachable, activation_of, output_layer, takes_probabilities, unreachable
from caedsl.facts.presets import pixel_range
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.rules.edits.output import activation_edit, fitting_activation, output_place
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain

RULE = Rule("CAE401", "output-range", Severity.ERROR)

FATAL = 0.1
"""The share of the mean image's error that is an error."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the output's activation; a cross-entropy that the range does not suit is `bce-range`'s."""
    missed, layer = unreachable(model), output_layer(model)
    if missed is None or layer is None or missed.share <= NOTICEABLE or takes_probabilities(model):
        return
    proven = missed.share > FATAL and missed.spread != "normally"
    values, fitting = pixel_range(model), fitting_activation(model)
    edit = activation_edit(model, layer, fitting)
    sure = Applicability.SAFE if proven else Applicability.UNSAFE
    yield RULE.found(
        output_place(model, layer),
        f"{activation_of(layer).name} returns {_interval(missed)}, but the images are {_described(values)}: "
        f"{_loss(missed)}",
        label=f"returns {_interval(missed)}",
        related=(Label(model.target.range_span, f"images are {_described(values)}"),),
        notes=(_arithmetic(missed, values),),
        help=f"end the decoder with `{fitting}`",
        fix=edit and Proposal(partial(with_suited_rate, model, f"end with `{fitting}`", (edit,), sure)),
        severity=None if proven else Severity.WARNING,
        data={"low": missed.low, "high": missed.high, "unreachable": missed.share, "spread": missed.spread},
    )


def _interval(missed: Unreachable) -> str:
    return (
        f"{plain(missed.low)}..{plain(missed.high)}"
        if missed.high < float("inf")
        else f"nothing below {plain(missed.low)}"
    )


def _described(values: InputRange) -> str:
    return f"in {values}" if values.bounded else "real, of any size"


def _loss(missed: Unreachable) -> str:
    if missed.share >= 1:
        return f"the least error is {plain(missed.share, 2)} times that of one mean picture for all"
    return f"{missed.share:.0%} of what tells images apart is out of reach"


def _arithmetic(missed: Unreachable, values: InputRange) -> str:
    spread = {"evenly": f"values spread evenly over {values}", "normally": "standardised values"}
    over = spread.get(missed.spread, f"the pixels of {missed.spread}")
    return (
        f"E[(x - clip(x, {plain(missed.low)}, {plain(missed.high)}))²] / error of the mean image = "
        f"{plain(missed.share, 3)}, for {over}"
    )
