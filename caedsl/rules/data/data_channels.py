"""The dataset has a different number of channels than the input.

## What it does
Compares the channels of the published datasets with the input's. Images with `gray` have one channel.

## Why is this bad?
Training stops with an error before the first step: MNIST, for example, has no colours to fill three channels.

## Example
```cae
input 3x28x28
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## Instead
```cae
input 1x28x28
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## How sure
Certain: the channels of these sets are known.
"""

from collections.abc import Iterator
from functools import partial

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.outputs import output_layer
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.rules.edits.trial import tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.shape import rank, text

RULE = Rule("CAE603", "data-channels", Severity.ERROR, partial=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding at the first source of each number of channels that does not fit."""
    wanted = model.input.shape[0]
    if channels_last(model) or rank(model.input.shape) != 2:
        return
    said = set()
    for source in model.data:
        given = _channels(source)
        if given in (None, wanted) or given in said:
            continue
        said.add(given)
        yield RULE.found(
            source.span,
            f"{source.name}{' made grey' if source.gray else ''} has {counted(given or 0, 'channel')}, "
            f"but the input is {text(model.input.shape)}",
            related=(Label(model.input.span, counted(wanted, "channel")),),
            help=_help(source, given or 0, model),
            fix=Proposal(partial(_fix, source, given or 0, model)),
            data={"channels": given, "wanted": wanted},
        )


def _channels(source: DataSource) -> int | None:
    """Return the channels of a source, or None if they depend on its files."""
    if source.gray:
        return 1
    known = source.kind.preset
    return known.shape[0] if known else None


def _help(source: DataSource, given: int, model: Autoencoder) -> str:
    size = text(model.input.shape[1:])
    if model.input.shape[0] == 1:
        return f"add `gray` to convert the images to grey, or write `input {given}x{size}`"
    return f"write `input {given}x{size}`" + (", or remove `gray`" if source.gray else "")


def _fix(source: DataSource, given: int, model: Autoencoder) -> Fix | None:
    """Return grey images for a grey input, or the channels of the data at the input and at a written output."""
    if model.input.shape[0] == 1:
        end = source.span.end
        return Fix("add `gray` to convert the images to grey", (Edit(Span(end, end), " gray"),), Applicability.DISPLAY)
    shape = text((given, *model.input.shape[1:]))
    output = output_layer(model)
    edits = [Edit(model.input.span, shape)]
    if output is not None and not model.mirrored and CHANNELS.name in output.spans:
        edits.append(write(output, CHANNELS, str(given)))
    edits.sort()
    changed = tried(model, edits)
    if changed is None or changed.out_shape != changed.target.shape:
        return None
    return Fix(f"use the channels of the data in the input: {shape}", tuple(edits), Applicability.UNSAFE)
