"""The kernel of a transposed convolution is not a multiple of its stride.

## What it does
Counts how many kernel positions contribute to each output pixel: with kernel 3 and stride 2, one or two per axis, so
one, two or four per pixel, in a fixed pattern. It warns if no later layer at full size has a larger kernel that could
smooth the pattern; otherwise it is an info.

## Why is this bad?
Uneven sums appear as a grid that repeats with the stride, which training seldom removes (Odena et al. 2016). It affects
how images look, not whether the model trains: published models with kernel 3 and stride 2 train well, because later
layers smooth the grid.

## Example
```cae
encoder { conv 16 s2 relu; conv 32 s2 relu }
decoder { deconv 16 k4 s2 relu; deconv 1 k3 s2 sigmoid }
```

## Instead
```cae
encoder { conv 16 s2 relu; conv 32 s2 relu }
decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 sigmoid }
```

## How sure
The counts are arithmetic; how visible the grid becomes is a heuristic. Divisible kernels reduce it but do not always
remove it; resizing before a plain convolution (`upsample 2`, then `conv`) is more reliable.

## References
- Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts", Distill.
- Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution", arXiv 1707.02937.
"""

from collections.abc import Iterator
from typing import Any

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Proposal, Severity
from caedsl.facts.sizes import transposed_lines
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import drop, same_size, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Sizes, places, sizes_text
from caedsl.vocabulary.window import KERNEL, OUTPUT_PAD, PAD, STRIDE, Axis, axes

RULE = Rule("CAE215", "checkerboard-kernel", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line with an uneven transposed convolution, or for the convolution that it mirrors."""
    for layer, source, smoothed in transposed_lines(model, lambda layer: bool(_uneven(layer))):
        yield _finding(model, source, _uneven(layer)[0], layer.mirrors is not None, smoothed)


def _uneven(layer: Layer) -> list[Axis]:
    """Return the axes whose outputs are all reached, but unevenly."""
    window = axes(layer.options, layer.in_shape)
    return [axis for axis in window if axis.kernel > axis.stride > 1 and axis.kernel % axis.stride]


def _finding(model: Autoencoder, layer: Layer, axis: Axis, mirrored: bool, smoothed: bool) -> Finding:
    few, many = axis.kernel // axis.stride, -(-axis.kernel // axis.stride)
    divisible = axis.stride * many
    twin = "the mirror of this convolution" if mirrored else "this deconv"
    return RULE.found(
        layer.place(KERNEL),
        f"kernel {axis.kernel} is not a multiple of stride {axis.stride}: {twin} produces a grid that repeats "
        f"every {axis.stride} {places(layer.in_shape)}",
        label="" if smoothed else "no later layer smooths it",
        notes=(f"along each axis, outputs sum {few} and {many} kernel positions in turn",),
        fix=Proposal(
            lambda: _fix(model, layer),
            f"use a kernel of {divisible}, or `upsample {axis.stride}` followed by a plain convolution",
        ),
        severity=Severity.INFO if smoothed else None,
        data={"kernel": axis.kernel, "stride": axis.stride},
    )


def _fix(model: Autoencoder, layer: Layer) -> Fix | None:
    """Return the next kernel that the stride divides, with the padding that keeps every size."""
    kernel, stride = layer.options[KERNEL], layer.options[STRIDE]
    larger = tuple(s * -(-k // s) for k, s in zip(kernel, stride, strict=True))
    written = sizes_text(larger)
    options: dict[Option, Any] = {KERNEL: larger}
    edits: list[Edit] = [write(layer, KERNEL, f"k{written}")]
    pads = layer.options[PAD]
    if layer.kind.window is Window.TRANSPOSED and isinstance(pads, tuple):
        surplus = tuple(more - now for more, now in zip(larger, kernel, strict=True))
        options[PAD], options[OUTPUT_PAD] = _paddings(layer, surplus, pads)
        edits += _padding_edits(model, layer, options[PAD], options[OUTPUT_PAD])
    if not same_size(model, layer, options):
        return None
    changes = tuple(sorted(edits, key=lambda edit: edit.span))
    return Fix(f"use a kernel that the stride divides: k{written}", changes, Applicability.UNSAFE)


def _paddings(layer: Layer, surplus: Sizes, before: Sizes) -> tuple[Sizes, Sizes]:
    """Return the padding and the output padding that compensate for a larger kernel.

    There is less output padding first, then more padding on both sides.
    """
    pads, rests = [], []
    for more, pad, rest in zip(surplus, before, layer.options[OUTPUT_PAD], strict=True):
        left = more - min(more, rest)
        pads.append(pad + -(-left // 2))
        rests.append(rest - min(more, rest) + left % 2)
    return tuple(pads), tuple(rests)


def _padding_edits(model: Autoencoder, layer: Layer, pads: Sizes, rests: Sizes) -> Iterator[Edit]:
    yield write(layer, PAD, f"pad={sizes_text(pads)}")
    if any(rests):
        yield write(layer, OUTPUT_PAD, f"output_pad={sizes_text(rests)}")
    elif OUTPUT_PAD.name in layer.spans:
        yield drop(model, layer.spans[OUTPUT_PAD.name])
