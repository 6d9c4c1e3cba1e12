"""The decoder returns another number of channels than the image has.

## What it does
Compares the channels of the decoder's output with those of the input.

## Why is this bad?
Every channel of the image needs one of its own in the reconstruction: with one channel for three colours there is
nothing to compare two of them with, and training cannot start.

## Example
```cae
input 3x32x32
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
input 3x32x32
decoder { conv 8 relu; upsample 2; conv 3 sigmoid }
```

## How sure
Arithmetic. The number is put right by `--fix` where the last layer ends in an output activation; where it ends in a
rectifier, the output layer itself is likely missing, and `--unsafe-fixes` adds one.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.facts.sizes import channels_last, decoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import counted
from caedsl.source import Span
from caedsl.vocabulary.activations import fitting
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import is_map

RULE = Rule("CAE202", "channel-mismatch", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """The finding where the output is a map with another number of channels than the input."""
    got, wanted = model.out_shape[0], model.input.shape[0]
    layers = decoder_path(model)
    if got == wanted or not is_map(model.out_shape) or not layers or channels_last(model):
        return
    last = layers[-1]
    yield RULE.found(
        last.place(CHANNELS),
        f"the decoder returns {counted(got, 'channel')}, but the image has {wanted}",
        label=f"{counted(got, 'channel')} come out" if got != 1 else "1 channel comes out",
        related=(Label(model.input.span, f"{counted(wanted, 'channel')} {'go' if wanted != 1 else 'goes'} in"),),
        help=f"end the decoder with `conv {wanted} {_output(model)}`",
        fix=Proposal(lambda: _fix(model, last, wanted)),
    )


def _output(model: Autoencoder) -> str:
    """The activation that fits the input's range."""
    return str(fitting(model.input.range.low, model.input.range.high))


def _fix(model: Autoencoder, last: Layer, wanted: int) -> Fix | None:
    """The right number on the last layer, or an output layer where that one is a hidden layer."""
    place = last.spans.get("channels")
    hidden = place is None or last.activation.function.rectifier
    if hidden:
        added = f"conv {wanted} {_output(model)}"
        edit = Edit(Span(last.span.end, last.span.end), f"; {added}")
        fix = Fix(f"add the output layer `{added}`", (edit,), Applicability.UNSAFE)
    else:
        assert place is not None
        fix = Fix(f"return {counted(wanted, 'channel')}", (Edit(place, str(wanted)),), Applicability.SAFE)
    changed = tried(model, fix.edits) if not model.mirrored else None
    return fix if changed is not None and changed.out_shape[0] == wanted else None
