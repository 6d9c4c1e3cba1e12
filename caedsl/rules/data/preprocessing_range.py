"""The preprocessing does not match the channels or the declared range of the data.

## What it does
Compares `normalize=imagenet`, which has the means and deviations of three colours in 0..1, with the shape and the range
of the input. It also looks for `normalize=instance` where a channel has one value, and `gcn` where a sample has one. It
also compares the sources of a `data` line with the first one, for which the network is made.

## Why is this bad?
The ImageNet constants give mean 0 and deviation 1 only for photographs in 0..1. Pixels in 0..255 become values around
500, which is worse than no normalisation. `normalize=standard` measures the training images instead.

A single value minus its own mean is 0 in every sample, so the network would learn nothing, at a loss of 0.

## Example
```cae
input 3x32x32 in 0..255
data cifar10 normalize=imagenet
```

## Instead
```cae
input 3x32x32
data cifar10 normalize=imagenet
```

## How sure
Arithmetic. Only the author knows which of the two lines is wrong.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.diagnostics.text import counted
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.preprocessings import PreprocessingKind
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE621", "preprocessing-range", Severity.WARNING, escalates=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding at each source whose preprocessing does not fit."""
    first, values = model.preprocessing, model.input.range
    for source in model.data:
        kind = source.preprocessing
        if kind is not first:
            yield RULE.found(
                source.span,
                f"`{source.name}` is {_named(source.normalize)}, but the network is made for the first source, which "
                f"is {_named(model.data[0].normalize)}",
                related=(Label(model.data[0].span, "the first source"),),
                help="give all sources the same `normalize=`",
                severity=Severity.ERROR,
                data={"normalize": source.normalize, "first": model.data[0].normalize},
            )
        elif kind is not None and kind.offsets and len(kind.offsets) != model.input.shape[0]:
            yield RULE.found(
                source.span,
                f"`normalize={kind.name}` has constants for {len(kind.offsets)} channels, but the input has "
                f"{counted(model.input.shape[0], 'channel')}",
                related=(Label(model.input.span, counted(model.input.shape[0], "channel")),),
                help="use `normalize=standard`, which measures the training images",
                severity=Severity.ERROR,
                data={"channels": model.input.shape[0], "wanted": len(kind.offsets)},
            )
        elif kind is not None and kind.by_sample:
            yield from _check_single_values(source, kind, model)
        elif kind is not None and kind.offsets and (values.low, values.high) != (0, 1):
            yield RULE.found(
                source.span,
                f"`normalize={kind.name}` is for pixels in 0..1, but these are {_range(model)}",
                related=(Label(model.input.range_span, _range(model)),),
                help="declare `in 0..1` (integers are scaled to it), or use `normalize=standard`",
                data={"low": values.low, "high": values.high},
            )


def _check_single_values(source: DataSource, kind: PreprocessingKind, model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding if a sample, or each of its channels, is one value, which minus its own mean is 0."""
    shape = model.input.shape
    whole = "channel" if kind.by_channel else "sample"
    if elements(shape[1:] if kind.by_channel else shape) == 1:
        yield RULE.found(
            source.span,
            f"`normalize={kind.name}` makes every sample 0: a {whole} of {text(shape)} has only one value",
            related=(Label(model.input.span, f"one value for each {whole}"),),
            help="use `normalize=standard`, which measures the training samples",
            severity=Severity.ERROR,
            data={"values": 1},
        )


def _named(name: str | None) -> str:
    return f"normalised (`{name}`)" if name else "not normalised"


def _range(model: Autoencoder) -> str:
    return f"in {model.input.range}" if model.input.range.bounded else "any real numbers"
