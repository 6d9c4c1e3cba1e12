"""The decoder's output has a different number of channels than the image.

## What it does
Compares the channels of the decoder's output with those of the input.

## Why is this bad?
The loss compares every channel of the image with one of the reconstruction. With a single channel for three colours,
two of them cannot be compared, and training cannot start.

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
Arithmetic. Only the author knows whether the input or the last layer is wrong, so the fix is unsafe: it changes the
channels of the last layer if that has an output activation, and adds an output layer if the last layer ends in a
rectifier.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.sizes import channels_last, decoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.activations import fitting
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import is_map

RULE = Rule("CAE202", "channel-mismatch", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding if the output is a map with a different number of channels than the input."""
    got, wanted = model.out_shape[0], model.target.shape[0]
    layers = decoder_path(model)
    if got == wanted or not is_map(model.out_shape) or not layers or channels_last(model):
        return
    last = layers[-1]
    yield RULE.found(
        last.place(CHANNELS),
        f"the decoder returns {counted(got, 'channel')}, but the {_of(model)} has {wanted}",
        label=f"{counted(got, 'channel')} come out" if got != 1 else "1 channel comes out",
        related=(Label(model.target.span, _compared(model, wanted)),),
        help=_help(model, last, wanted),
        fix=Proposal(lambda: _fix(model, last, wanted)),
        data={"channels": got, "wanted": wanted},
    )


def _of(model: Autoencoder) -> str:
    return "image" if model.target is model.input else "target"


def _compared(model: Autoencoder, wanted: int) -> str:
    if model.target is model.input:
        return f"{counted(wanted, 'channel')} {'go' if wanted != 1 else 'goes'} in"
    return f"{counted(wanted, 'channel')} must come out"


def _help(model: Autoencoder, last: Layer, wanted: int) -> str:
    if _is_hidden(last):
        return f"end the decoder with `{_output_layer(model, wanted)}`"
    word = "input" if model.target is model.input else "target"
    return f"write `{last.kind.name} {wanted}`, or correct the channels of the {word}"


def _is_hidden(last: Layer) -> bool:
    """Return whether an output layer is probably missing after this one."""
    return CHANNELS.name not in last.spans or last.activation.function.rectifier


def _output_layer(model: Autoencoder, wanted: int) -> str:
    """Return an output layer whose activation fits the range of the target."""
    return f"conv {wanted} {fitting(model.output_range.low, model.output_range.high)}"


def _fix(model: Autoencoder, last: Layer, wanted: int) -> Fix | None:
    """Return the fix: the right number on the last layer, or an output layer after a hidden one."""
    if model.mirrored:
        return None
    if _is_hidden(last):
        added = _output_layer(model, wanted)
        edit = Edit(Span(last.span.end, last.span.end), f"; {added}")
        title = f"add the output layer `{added}`"
    else:
        edit = Edit(last.spans[CHANNELS.name], str(wanted))
        title = f"return {counted(wanted, 'channel')}"
    changed = tried(model, (edit,))
    fits = changed is not None and changed.out_shape[0] == wanted
    return Fix(title, (edit,), Applicability.UNSAFE) if fits else None
