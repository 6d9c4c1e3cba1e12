"""The output's activation cannot reach all values of the images.

## What it does
Compares the range of the last activation with the range of the images, and computes the error that no training can
remove: E[(x - clip(x, low, high))²] as a share of the squared error of the mean image. An activation before the last
one narrows its range: `relu; sigmoid` returns 0.5..1. The finding is an error above 10 %, a warning above 1 %. For
MNIST, Fashion-MNIST and the digits, the pixels were counted. Other images are assumed to be spread evenly over the
declared range. A `real` input is assumed to be standard normal, and the finding is then a warning at most.

## Why is this bad?
No training can remove this error. For MNIST in -1..1 with a sigmoid output, the smallest possible error is 3.1 times
that of the mean image: 81 % of the pixels are black, and a sigmoid cannot return their value. In a pilot such models
ended at 3.4 times (1.9 on Fashion-MNIST); standardised data ended at 0.4 to 1.4 with a ReLU output, and at 0.74 with a
sigmoid.

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
Arithmetic, if the images are as the spec declares. `--fix` repairs an error, since a model with this error does not
work.

## References
- yzhao062/pyod issue 651: a ReLU at the output and data below zero; the default became linear.
"""

from collections.abc import Iterator
from functools import partial

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Label, Proposal, Severity
from caedsl.facts.outputs import (
    NOTICEABLE,
    Unreachable,
    limiting_layer,
    output_layer,
    takes_probabilities,
    unreachable,
)
from caedsl.facts.presets import pixel_range
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.rules.data.unscaled_data import LARGEST_SCALED
from caedsl.rules.edits.output import activation_edit, fitting_activation, output_place
from caedsl.rules.edits.rate import with_suited_rate
from caedsl.rules.edits.trial import drop, write
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.vocabulary.activations import ACTIVATION, LINEAR
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.activation import ActivationLine

RULE = Rule("CAE401", "output-range", Severity.ERROR)

FATAL = 0.1
"""Report unreachable error above this share of the mean image's error as an error."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the output's activation; `bce-range` covers a range that does not suit a cross-entropy."""
    missed, layer, limiting = unreachable(model), output_layer(model), limiting_layer(model)
    if missed is None or layer is None or missed.share <= NOTICEABLE:
        return
    if takes_probabilities(model) and limiting is None:
        return
    proven = missed.share > FATAL and missed.spread != "normally"
    values = pixel_range(model)
    sure = Applicability.SAFE if proven else Applicability.UNSAFE
    after = "" if limiting is None else f" after {limiting.activation}"
    title, other, edit = _remedy(model, layer, limiting)
    yield RULE.found(
        output_place(model, layer),
        f"{layer.activation.name}{after} returns {_interval(missed)}, but the images are {_described(values)}: "
        f"{_loss(missed)}",
        label=f"returns {_interval(missed)}",
        related=(Label(model.target.range_span, f"images are {_described(values)}"),),
        notes=(_arithmetic(missed, values),),
        help=title + other,
        fix=edit and Proposal(partial(with_suited_rate, model, title, (edit,), sure)),
        severity=None if proven else Severity.WARNING,
        data={"low": missed.low, "high": missed.high, "unreachable": missed.share, "spread": missed.spread},
    )


def _remedy(model: Autoencoder, layer: Layer, limiting: Layer | None) -> tuple[str, str, Edit | None]:
    """Return the help, another remedy, and the edit: another activation, or none before the last one."""
    if limiting is None or limiting.mirrors is not None or limiting in model.bottleneck.inverse:
        fitting, values = fitting_activation(model), pixel_range(model)
        scaled = values.high is not None and values.high > LARGEST_SCALED
        other = "; or declare `in 0..1` if the data are integers, which are then scaled" if scaled else ""
        return f"end the decoder with `{fitting}`", other, activation_edit(model, layer, fitting)
    written = limiting.spans.get(ACTIVATION.name)
    if isinstance(limiting.kind, ActivationLine):
        edit = removal(model.source.text, limiting.span)
    else:
        edit = write(limiting, ACTIVATION, LINEAR.name) if written is None else drop(model, written)
    return f"remove `{limiting.activation}` before it", "", edit


def _interval(missed: Unreachable) -> str:
    return (
        f"{plain(missed.low)}..{plain(missed.high)}"
        if missed.high < float("inf")
        else f"nothing below {plain(missed.low)}"
    )


def _described(values: InputRange) -> str:
    return f"in {values}" if values.bounded else "real numbers without bounds"


def _loss(missed: Unreachable) -> str:
    if missed.share >= 1:
        return f"the smallest possible error is {plain(missed.share, 2)} times that of the mean image"
    return f"{missed.share:.0%} of the images' variance cannot be reconstructed"


def _arithmetic(missed: Unreachable, values: InputRange) -> str:
    spread = {"evenly": f"values spread evenly over {values}", "normally": "standardised values"}
    over = spread.get(missed.spread, f"the pixels of {missed.spread}")
    return (
        f"E[(x - clip(x, {plain(missed.low)}, {plain(missed.high)}))²] / error of the mean image = "
        f"{plain(missed.share, 3)}, for {over}"
    )
