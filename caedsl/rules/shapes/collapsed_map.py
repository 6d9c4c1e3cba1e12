"""A convolution over a map that is one pixel high or wide.

## What it does
Reports the first convolution with a kernel larger than 1 along an axis on which its map has a single pixel.

## Why is this bad?
A single pixel is surrounded by padding: eight of the nine weights of a 3x3 kernel are always multiplied by zeros and
never learn anything. Either the map was halved once too often, or a `dense` layer was meant.

## Example
```cae
input 1x16x16
encoder { conv 8 k4 s2 relu x4; conv 16 k3 relu }
bottleneck dense 8
```

## Instead
```cae
input 1x16x16
encoder { conv 8 k4 s2 relu x3; conv 16 k3 relu }
bottleneck dense 8
```

## How sure
That the weights see only padding is arithmetic. The model trains nevertheless, so this is a warning.

## References
- Nikanjam et al. 2021, "Automatic fault detection for deep learning programs using graph transformations"
  (NeuraLint), arXiv 2105.08095.
"""

from collections.abc import Iterator
from math import prod

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.sizes import channels_last, decoder_path, encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import text, without_single_places
from caedsl.vocabulary.window import KERNEL

RULE = Rule("CAE214", "collapsed-map", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding, at the first convolution that sees a single pixel."""
    if channels_last(model):
        return
    layers = (*encoder_path(model), *decoder_path(model))
    idle = [layer for layer in layers if _idle(layer)]
    if not idle:
        return
    first = idle[0]
    used = _used(first)
    weights = _taps(first)
    shrunk = [layer for layer in layers[: layers.index(first)] if layer.resizes]
    others = f" (and {len(idle) - 1} more after it)" if len(idle) > 1 else ""
    lower = without_single_places(model.input.shape)
    yield RULE.found(
        first.place(KERNEL),
        f"the map is {text(first.in_shape[1:])} here: {weights - used} of the {weights} weights of this kernel see "
        f"only padding{others}",
        related=(Label(shrunk[-1].span, f"{text(shrunk[-1].in_shape[1:])} became {text(shrunk[-1].out_shape[1:])}"),)
        if shrunk
        else (),
        help=f"write `input {text(lower)}`, without the axis of 1"
        if lower
        else "halve the map less often before it, or write `k1`, which is the same convolution without the unused "
        "weights",
        data={"weights": weights, "used": used},
    )


def _idle(layer: Layer) -> bool:
    return layer.kind.window is Window.CONVOLUTION and layer.mirrors is None and _used(layer) < _taps(layer)


def _taps(layer: Layer) -> int:
    return prod(layer.options[KERNEL])


def _used(layer: Layer) -> int:
    """Return the number of weights that can see a pixel: one along an axis with a single pixel."""
    sides = zip(layer.options[KERNEL], layer.in_shape[1:], strict=True)
    return prod(1 if side == 1 else taps for taps, side in sides)
