"""A pool cuts the last row or column of an odd size.

## What it does
Reports pools of the encoder whose window does not divide the size: `maxpool 2` turns 7 into 3 and never looks at
the seventh row. It warns where an explicit decoder never comes back to the size that was cut, so that its pixels
stand at other places than the encoder's; where the decoder does come back to it, and in a mirrored one, it only
informs. Where the output's size is wrong for it, `output-shape` says so and this rule is silent.

## Why is this bad?
What the pool does not read has to be invented from its neighbours: cutting 7 to 3 leaves out 13 of 49 pixels of
that map, 27 %. On images with an empty border this does no harm.

## Example
```cae
encoder { conv 8 k4 s4 relu; maxpool 2 }
decoder { conv 8 relu; upsample to 28x28; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 8 k4 s4 relu; maxpool 2 ceil }
decoder { conv 8 relu; upsample to 7x7; conv 8 relu; upsample 4; conv 1 sigmoid }
```

## How sure
That the pixels are not read is arithmetic; that it matters depends on what stands at the border of the images
(heuristic).
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Proposal, Severity
from caedsl.facts.sizes import channels_last, decoder_path, encoder_path, resolutions, size, unread
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer

RULE = Rule("CAE211", "cut-by-pooling", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """A finding for every pooling line that leaves a border unread, in a model whose output has the input's size."""
    if model.out_shape[1:] != model.input.shape[1:] or channels_last(model):
        return
    back = resolutions(model.code_shape, decoder_path(model))
    for layer in {layer.span: layer for layer in encoder_path(model) if _cuts(layer)}.values():
        returned = size(layer.in_shape) in back
        yield _finding(model, layer, returned)


def _cuts(layer: Layer) -> bool:
    return layer.kind.name in ("maxpool", "avgpool") and any(axis.edge for axis in unread(layer))


def _finding(model: Autoencoder, layer: Layer, returned: bool) -> Finding:
    height, width = size(layer.in_shape)
    edges = {axis.which: axis.edge for axis in unread(layer)}
    rows, columns = edges.get("height", 0), edges.get("width", 0)
    lost = height * width - (height - rows) * (width - columns)
    parts = [_counted(rows, "row")] * bool(rows) + [_counted(columns, "column")] * bool(columns)
    after = size(layer.out_shape)
    sizes = f"{height}x{width} to {after[0]}x{after[1]}"
    ending = "" if returned else f", and the decoder does not come back to {height}x{width}"
    return RULE.found(
        layer.span,
        f"this pool never reads the last {' and '.join(parts)}: it cuts {sizes}{ending}",
        label=f"{lost} of {height * width} pixels unread",
        notes=(layer.kind.arithmetic(layer),) if rows else (),
        fix=Proposal(
            lambda: _ceil(model, layer), f"round up with `ceil`, and let the decoder return to {height}x{width}"
        ),
        severity=Severity.INFO if returned else None,
    )


def _counted(count: int, what: str) -> str:
    return what if count == 1 else f"{count} {what}s"


def _ceil(model: Autoencoder, layer: Layer) -> Fix | None:
    """Rounding up, where everything else still fits."""
    edits = (write(layer, "ceil", "ceil"),)
    changed = tried(model, edits)
    if changed is None or changed.out_shape != model.out_shape:
        return None
    return Fix("round the size up: `ceil`", edits, Applicability.UNSAFE)
