"""Skips connect the encoder to the decoder and bypass the code.

## What it does
Counts the numbers that bypass the code through `concat`, `add` and `decoder mirror skips=`. It warns if the network may
copy its input; the message says so explicitly if one of these maps has the size of the input and together they hold at
least as many numbers. It reports only an info if corrupted inputs or separate targets make a copy wrong, as in a
denoising U-Net.

## Why is this bad?
What bypasses the code need not be in it. A network with skips that can carry the whole input learns to copy it: the
loss falls to 0, and the code may hold anything. The compression is then meaningless, and so are anomaly scores, because
anomalies are reconstructed as well as everything else.

## Example
```cae
encoder { conv 16 relu; maxpool 2; conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror skips=concat
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2; conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror
```

## How sure
The count is arithmetic. Training uses a bypass if it lowers the loss; this rule cannot say how much of it is used.

## References
- Ronneberger, Fischer and Brox 2015, "U-Net", arXiv 1505.04597: skips for segmentation, which has a target of its own.
- Collin and De Vleeschouwer 2021, "Improved anomaly detection by training an autoencoder with skip connections on
  images corrupted with stain-shaped noise", arXiv 2008.12977: without corruption, skips copy anomalies.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Corrupt
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE309", "skip-bypasses-code", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding for all maps that bypass the code."""
    maps = model.bypasses
    if not maps:
        return
    code, leak, whole = elements(model.code_shape), model.leak, elements(model.input.shape)
    denoises = model.paired or (model.train is not None and model.train.corrupt != Corrupt())
    full = any(shape[1:] == model.input.shape[1:] for shape in maps.values())
    copies = full and leak >= whole and not denoises
    listed = ", ".join(f"`{name}` {text(shape)}" for name, shape in maps.items())
    message = f"{leak:,} numbers bypass the code, which has {code:,}: {listed}"
    if copies:
        message += f"; the input has {whole:,}, so it can be copied without the code"
    yield RULE.found(
        _place(model),
        message,
        label="bypasses the code",
        related=(Label(model.bottleneck.span, f"the code is {text(model.code_shape)}"),),
        notes=("compression and anomaly scores are meaningless if the input can bypass the code",),
        help="remove the skips"
        + ("" if denoises else ", or train a denoiser, for which a copy is wrong: `train { corrupt gaussian=0.2 }`")
        + '; if they are intended, write `allow skip-bypasses-code "..."`',
        severity=Severity.INFO if denoises else None,
        data={"leak": leak, "code": code, "values": whole},
    )


def _place(model: Autoencoder) -> Span:
    after_code = (*model.bottleneck.inverse, *model.decoder)
    inside = (inner for layer in after_code for inner in layer.walk() if inner.mirrors is None)
    joins = (layer.span for layer in inside if isinstance(layer.kind, Join) and _bypasses(layer.kind, layer, model))
    return next(joins, None) or model.places.get("decoder.skips") or model.place("decoder.upsample")


def _bypasses(kind: Join, layer: Layer, model: Autoencoder) -> bool:
    return kind.kept(layer.options) in model.bypasses
