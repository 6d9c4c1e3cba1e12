"""A bias before a normalisation that removes it again.

## What it does
Reports `bias=on` on a line with `norm=batch` or `norm=instance` as an info. By default, such a line has no bias.

## Why is this bad?
Both subtract the mean of each channel, including the bias, which is then a parameter without effect. `norm=layer` and
`norm=group` subtract the mean over several channels, so part of the bias remains.

## Example
```cae
encoder { conv 8 relu norm=batch bias=on; maxpool 2 }
```

## Instead
```cae
encoder { conv 8 relu norm=batch; maxpool 2 }
```

## How sure
Arithmetic: (x + b) - mean(x + b) = x - mean(x). The model computes the same function without the bias, so `--fix`
removes it.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import default_place, drop, write
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.kernel_options import BIAS
from caedsl.vocabulary.layer import Layer

RULE = Rule("CAE706", "useless-bias", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line that asks for such a bias, either a layer or its defaults."""
    useless: dict[Span, list[Layer]] = {}
    for layer in {
        layer.span: layer for _, layer in model.layers() if layer.mirrors is None and _is_useless(layer)
    }.values():
        useless.setdefault(_place(model, layer), []).append(layer)
    for place, layers in useless.items():
        own = place != layers[0].span
        edits = (drop(model, place),) if own else tuple(write(layer, BIAS, "bias=off") for layer in layers)
        norms = " and ".join(
            f"`norm={name}`" for name in dict.fromkeys(layer.norm.name for layer in layers if layer.norm)
        )
        yield RULE.found(
            place,
            f"{norms} removes this bias again",
            related=tuple(Label(layer.span, "normalised here") for layer in layers if not _inside(place, layer.span)),
            help="remove the bias",
            fix=Fix("remove the bias", edits, Applicability.SAFE),
            data={"layers": len(layers)},
        )


def _place(model: Autoencoder, layer: Layer) -> Span:
    """Return where the bias is written: on the line, or in the defaults that apply to it."""
    return layer.spans.get(BIAS.name) or default_place(model, layer, BIAS) or layer.span


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _is_useless(layer: Layer) -> bool:
    return bool(layer.options.get(BIAS, False)) and layer.norm is not None and layer.norm.centres
