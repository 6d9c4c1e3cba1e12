"""The decoder reads maps of the encoder beside the code, so that the code is no longer the only way.

## What it does
Counts the numbers that `concat`, `add` and `decoder mirror skips=` lead around the code. It warns where the network
may answer with a copy, and more plainly where one of these maps has the size of the input and together they hold at
least as many numbers as it. It informs where corrupted inputs or targets of their own make a copy the wrong answer:
a U-Net that denoises is built so.

## Why is this bad?
What goes around the code need not go through it. A network whose skips can carry the whole input learns to copy it:
the loss falls to nothing, and the code may hold anything. Compression then means nothing, and anomalies are
reconstructed as well as all else, so that their score says nothing.

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
The count is arithmetic. That a way around the code is used where it lowers the loss is what training does; how much of
it, this rule does not know.

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
    """Yield one finding for all maps that go around the code."""
    maps = model.bypasses
    if not maps:
        return
    code, leak, whole = elements(model.code_shape), model.leak, elements(model.input.shape)
    denoises = model.paired or (model.train is not None and model.train.corrupt != Corrupt())
    full = any(shape[1:] == model.input.shape[1:] for shape in maps.values())
    copies = full and leak >= whole and not denoises
    listed = ", ".join(f"`{name}` {text(shape)}" for name, shape in maps.items())
    message = f"{leak:,} numbers go around the code, which has {code:,}: {listed}"
    if copies:
        message += f"; the input has {whole:,}, so that a copy of it needs no code"
    yield RULE.found(
        _place(model),
        message,
        label="read beside the code",
        related=(Label(model.bottleneck.span, f"the code is {text(model.code_shape)}"),),
        notes=("compression and anomaly scores mean nothing where the input need not pass the code",),
        help="leave the skips out"
        + ("" if denoises else ", or make a copy the wrong answer: `train { corrupt gaussian=0.2 }`")
        + '; where they are meant, `allow skip-bypasses-code "..."`',
        severity=Severity.INFO if denoises else None,
        data={"leak": leak, "code": code, "values": whole},
    )


def _place(model: Autoencoder) -> Span:
    behind = (*model.bottleneck.inverse, *model.decoder)
    inside = (inner for layer in behind for inner in layer.walk() if inner.mirrors is None)
    joins = (layer.span for layer in inside if isinstance(layer.kind, Join) and _bypasses(layer.kind, layer, model))
    return next(joins, None) or model.places.get("decoder.skips") or model.place("decoder.upsample")


def _bypasses(kind: Join, layer: Layer, model: Autoencoder) -> bool:
    return kind.kept(layer.options) in model.bypasses
