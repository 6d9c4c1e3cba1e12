"""The decoder does not pass through all resolutions of the encoder.

## What it does
Looks for each size of the encoder's maps, in reverse order, among the sizes of an explicit decoder. A mirrored decoder
passes through all of them by construction.

## Why is this bad?
It need not be: some published models do not (one goes 28, 14, 7, 4 and back through 8, 16, 14, 28). But if a size has
no counterpart, the pixels of the decoder's maps are not aligned with those of the encoder, and skips or comparisons
between the two are not possible.

## Example
```cae
encoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }
decoder { conv 8 relu; upsample 4; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }
decoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
The sizes are arithmetic; that symmetry helps is a heuristic, so the finding is only an info.

## References
- F. Chollet 2016, "Building autoencoders in Keras", The Keras Blog: a model that is not symmetric and trains.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.sizes import (
    channels_last,
    decoder_path,
    encoder_path,
    last_branches,
    missing_resolutions,
    resolutions,
    size_path,
    unread,
)
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.shape import axis_names, is_map, text

RULE = Rule("CAE212", "unmatched-resolution", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding that lists the resolutions without a counterpart, if the sizes agree at both ends."""
    sizes = {model.out_shape[1:], model.input.shape[1:], model.target.shape[1:]}
    if model.mirrored or len(sizes) > 1 or channels_last(model) or _cut(model):
        return
    into, out = last_branches(encoder_path(model)), decoder_path(model)
    down, up = resolutions(model.input.shape, into), resolutions(model.code_shape, out)
    missing = missing_resolutions(down, up)
    if not missing:
        return
    axis = axis_names(model.input.shape)[0]
    listed = ", ".join(map(text, missing))
    yield RULE.found(
        model.place("decoder"),
        f"the decoder does not pass through {listed}, unlike the encoder",
        notes=(
            f"encoder: {size_path(model.input.shape, into, 0)} ({axis})",
            f"decoder: {_start(model)}{size_path(model.code_shape, out, 0)} ({axis})",
        ),
        help="`decoder mirror` passes through all of them; an asymmetric decoder may work as well",
        data={"missing": missing},
    )


def _start(model: Autoencoder) -> str:
    return "" if is_map(model.code_shape) else f"{model.code_shape[0]} numbers → "


def _cut(model: Autoencoder) -> bool:
    """Return whether a pool cuts the size, which is then the cause and has its own finding."""
    pools = (layer for layer in encoder_path(model) if layer.kind.window is Window.POOL)
    return any(axis.edge for layer in pools for axis in unread(layer))
