"""The stride of a transposed convolution is larger than its kernel: some outputs are only the bias.

## What it does
Counts the rows and columns that no kernel position reaches. It is an error if no later layer mixes neighbouring pixels,
because those pixels of the reconstruction are then the same for every image. Otherwise it is a warning.

## Why is this bad?
With kernel 2 and stride 3 every third row and column is empty: 5 of 9 pixels get nothing from the code.

## Example
```cae
encoder { conv 8 k4 s2 relu }
decoder { deconv 1 k1 s2 sigmoid }
```

## Instead
```cae
encoder { conv 8 k4 s2 relu }
decoder { deconv 1 k2 s2 sigmoid }
```

## How sure
Arithmetic: of every s outputs min(k, s / gcd(s, dilation)) are reached.

## References
- Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from collections.abc import Iterator
from math import gcd, prod

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Proposal, Severity
from caedsl.facts.sizes import transposed_lines
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import same_size, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import places, sizes_text
from caedsl.vocabulary.window import DILATION, KERNEL, STRIDE, Axis, axes

RULE = Rule("CAE216", "uncovered-output", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line that leaves outputs uncovered, or for the convolution that it mirrors."""
    for layer, source, mixed in transposed_lines(model, _empty):
        yield _finding(model, layer, source, mixed)


def _empty(layer: Layer) -> bool:
    return any(_reached(axis) < axis.stride for axis in axes(layer.options, layer.in_shape))


def _reached(axis: Axis) -> int:
    """Return how many of ``stride`` consecutive outputs are reached by a kernel position."""
    return min(axis.kernel, axis.stride // gcd(axis.stride, axis.dilation))


def _finding(model: Autoencoder, layer: Layer, source: Layer, mixed: bool) -> Finding:
    window = axes(layer.options, layer.in_shape)
    axis = next(axis for axis in window if _reached(axis) < axis.stride)
    total = prod(axis.stride for axis in window)
    empty = total - prod(map(_reached, window))
    what = "this deconv" if source is layer else "the mirror of this convolution"
    spread = axis.stride // gcd(axis.stride, axis.dilation) <= axis.kernel
    cause = f"dilation {axis.dilation} skips outputs at" if spread else f"kernel {axis.kernel} does not cover"
    return RULE.found(
        source.place(DILATION if spread else KERNEL),
        f"{cause} stride {axis.stride}: {empty} of {total} {places(layer.in_shape)} of {what} get only its bias",
        notes=(
            f"{_reached(axis)} of every {axis.stride} positions on an axis {'is' if _reached(axis) == 1 else 'are'} "
            "reached",
        ),
        fix=Proposal(lambda: _undilated(model, source), "use a dilation without a common factor with the stride")
        if spread
        else Proposal(lambda: _fix(model, source), f"use a kernel of {axis.stride} or a multiple of it"),
        severity=Severity.WARNING if mixed else None,
        data={"kernel": axis.kernel, "stride": axis.stride, "empty": empty, "of": total},
    )


def _undilated(model: Autoencoder, layer: Layer) -> Fix | None:
    """Return a dilation of 1, if every size stays the same."""
    if not same_size(model, layer, {DILATION: (1,) * len(layer.options[DILATION])}):
        return None
    return Fix("use a dilation of 1", (write(layer, DILATION, "d1"),), Applicability.UNSAFE)


def _fix(model: Autoencoder, layer: Layer) -> Fix | None:
    """Return a kernel as large as the stride, if every size stays the same."""
    stride = layer.options[STRIDE]
    if not same_size(model, layer, {KERNEL: stride}):
        return None
    written = f"k{sizes_text(stride)}"
    return Fix(
        f"use a kernel as large as the stride: {written}", (write(layer, KERNEL, written),), Applicability.UNSAFE
    )
