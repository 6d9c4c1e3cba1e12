"""A pool ignores the last row or column of an odd size.

## What it does
Reports pools of the encoder whose window does not divide the size: `maxpool 2` turns 7 into 3 and never reads the
seventh row. It warns if an explicit decoder never returns to the size that was cut, so that its pixels are not aligned
with the encoder's. The finding is only an info if the decoder does return to this size, as a mirrored one always does.
If the output's size is wrong, `output-shape` reports that and this rule is silent.

## Why is this bad?
The decoder must guess what the pool did not read: cutting 7 to 3 ignores 13 of 49 pixels of the map, 27 %. On images
with an empty border this does no harm.

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
That the pixels are not read is arithmetic; whether it matters depends on the border of the images (heuristic).
"""

from collections.abc import Iterator
from math import prod

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Proposal, Severity
from caedsl.facts.sizes import channels_last, decoder_path, encoder_path, resolutions, size, unread
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.pooling import CEIL
from caedsl.vocabulary.shape import axis_names, places, text

RULE = Rule("CAE211", "cut-by-pooling", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every pool with an unread border, if the output has the input's size."""
    if model.out_shape[1:] != model.target.shape[1:] or channels_last(model):
        return
    back = resolutions(model.code_shape, decoder_path(model))
    for layer in {layer.span: layer for layer in encoder_path(model) if _cuts(layer)}.values():
        returned = size(layer.in_shape) in back
        yield _finding(model, layer, returned)


def _cuts(layer: Layer) -> bool:
    """Return whether a pool leaves out its last rows alone; `unread-border` covers one that skips rows everywhere."""
    left = unread(layer) if layer.kind.window is Window.POOL else []
    return any(axis.edge for axis in left) and not any(axis.skipped for axis in left)


def _finding(model: Autoencoder, layer: Layer, returned: bool) -> Finding:
    names, before = axis_names(layer.in_shape), size(layer.in_shape)
    edges = {axis.which: axis.edge for axis in unread(layer)}
    read = tuple(side - edges.get(name, 0) for name, side in zip(names, before, strict=True))
    total, lost = prod(before), prod(before) - prod(read)
    parts = [_counted(edges[name], _slice(name, len(names))) for name in names if edges.get(name)]
    axis = next(i for i, name in enumerate(names) if edges.get(name))
    sizes = f"{text(before)} to {text(size(layer.out_shape))}"
    ending = "" if returned else f", and the decoder does not return to {text(before)}"
    return RULE.found(
        layer.span,
        f"this pool never reads the last {' and '.join(parts)}: it cuts {sizes}{ending}",
        label=f"{lost} of {total} {places(layer.in_shape)} unread",
        notes=(layer.kind.arithmetic(layer, axis),),
        fix=Proposal(
            lambda: _ceil(model, layer), f"round up with `ceil`, and let the decoder return to {text(before)}"
        ),
        severity=Severity.INFO if returned else None,
        data={"before": size(layer.in_shape), "after": size(layer.out_shape)},
    )


def _slice(axis: str, rank: int) -> str:
    """Return the name of what is counted along an axis: rows and columns for an image."""
    if rank == 1:
        return "value"
    return {"depth": "slice", "height": "row", "width": "column"}[axis]


def _counted(count: int, what: str) -> str:
    return what if count == 1 else f"{count} {what}s"


def _ceil(model: Autoencoder, layer: Layer) -> Fix | None:
    """Round up, if everything else still fits."""
    edits = (write(layer, CEIL, "ceil"),)
    changed = tried(model, edits)
    if changed is None or changed.out_shape != model.out_shape:
        return None
    return Fix("round the size up: `ceil`", edits, Applicability.UNSAFE)
