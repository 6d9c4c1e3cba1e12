"""A bias before a normalisation that takes it off again.

## What it does
Informs of `bias=on` on a line with `norm=batch` or `norm=instance`. Without `bias=` there is none there.

## Why is this bad?
Both subtract the mean of each channel, and the bias with it: it is a parameter that does nothing. `norm=layer` and
`norm=group` take the mean over several channels, and leave something of it.

## Example
```cae
encoder { conv 8 relu norm=batch bias=on; maxpool 2 }
```

## Instead
```cae
encoder { conv 8 relu norm=batch; maxpool 2 }
```

## How sure
Arithmetic: (x + b) - mean(x + b) = x - mean(x). The function of the model stays the same, so `--fix` makes the change.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import drop, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.weights import BIAS

RULE = Rule("CAE706", "useless-bias", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """A finding for every line with such a bias; a mirrored layer follows its twin."""
    useless = {layer.span: layer for _, layer in model.layers() if layer.mirrors is None and _is_useless(layer)}
    for layer in useless.values():
        edit = drop(model, layer.spans["bias"]) if "bias" in layer.spans else write(layer, BIAS, "bias=off")
        yield RULE.found(
            layer.place(BIAS),
            f"`norm={layer.norm}` takes this bias off again",
            help="leave the bias out",
            fix=Fix("leave the bias out", (edit,), Applicability.SAFE),
        )


def _is_useless(layer: Layer) -> bool:
    return bool(layer.options.get(BIAS, False)) and layer.norm is not None and layer.norm.centres
