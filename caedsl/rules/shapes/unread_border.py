"""A strided window leaves rows or columns of its input unread.

## What it does
Computes the positions of the window of a convolution or pool. Rows after its last position are never read, nor are rows
between two positions if the stride is larger than the kernel. `cut-by-pooling` covers what a pool cuts off at the far
edge.

## Why is this bad?
Rows that no weight reads cannot reach the code. A 1x1 convolution with stride 2 reads a quarter of its map; moving the
stride to a 3x3 convolution improved the accuracy of residual networks by about half a percent (He et al. 2019).

## Example
```cae
encoder { conv 8 relu; conv 16 k1 s2 relu }
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 8 relu; conv 16 k3 s2 relu }
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
Arithmetic: the last row read is (out - 1)·stride + extent - padding. A single row at the edge is only an info, because
the layer before usually sees its content.

## References
- He et al. 2019, "Bag of tricks for image classification with convolutional neural networks", arXiv 1812.01187.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Proposal, Severity
from caedsl.facts.sizes import Unread, channels_last, decoder_path, encoder_path, moves_window, unread
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import same_size, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Sides, axis_names, rank, sizes_text
from caedsl.vocabulary.window import KERNEL, PAD

RULE = Rule("CAE213", "unread-border", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line whose window leaves something unread.

    `uncovered-output` covers mirrored convolutions: the rows that they skip are rows that their mirror never writes.
    A pool's mirror writes every row.
    """
    if model.out_shape[1:] != model.target.shape[1:] or channels_last(model):
        return
    layers = (layer for layer in (*encoder_path(model), *decoder_path(model)) if _is_reported(layer))
    for layer in {layer.span: layer for layer in layers}.values():
        found = [axis for axis in unread(layer) if _skips(model, layer, axis) or _edge(layer, axis)]
        if found:
            yield _finding(model, layer, found)


def _is_reported(layer: Layer) -> bool:
    return moves_window(layer) and layer.mirrors is None


def _skips(model: Autoencoder, layer: Layer, axis: Unread) -> bool:
    return bool(axis.skipped) and not (model.mirrored and layer.kind.window is Window.CONVOLUTION)


def _edge(layer: Layer, axis: Unread) -> int:
    """Return the number of unread rows at the far edge; 0 for a pool, which another rule covers."""
    return axis.edge if layer.kind.window is Window.CONVOLUTION and not axis.skipped else 0


def _finding(model: Autoencoder, layer: Layer, found: list[Unread]) -> Finding:
    skips = _skips(model, layer, found[0])
    message, note = _skipped(layer, found[0]) if skips else _cut_off(layer, found[0])
    slight = not skips and max(other.edge for other in found) == 1
    return RULE.found(
        layer.span,
        message,
        notes=(note,),
        fix=Proposal(lambda: _fix(model, layer), "use a larger kernel, or `pad=same`"),
        severity=Severity.INFO if slight else None,
        data={"unread": [axis.edge or axis.skipped for axis in found]},
    )


def _skipped(layer: Layer, found: Unread) -> tuple[str, str]:
    """Return the message about places between the windows, and the note with its numbers."""
    axis = found.axis
    read = f"{axis.stride - found.skipped} of every {axis.stride} {_lines(layer, found)}"
    why = f"its dilation is {axis.dilation}" if axis.dilation > 1 else "its stride is larger than its window"
    numbers = f"kernel {axis.kernel}, stride {axis.stride}, dilation {axis.dilation}"
    return f"this {layer.kind.name} reads {read}: {why}", f"{numbers}: {found.skipped} of {axis.stride} skipped"


def _cut_off(layer: Layer, found: Unread) -> tuple[str, str]:
    """Return the message about places after the last window, and the note with the arithmetic."""
    axis, lines = found.axis, _lines(layer, found)
    some = f"the last {lines[:-1]}" if found.edge == 1 else f"the last {found.edge} {lines}"
    out = layer.out_shape[1 + axis_names(layer.in_shape).index(found.which)]
    end = f"({out} - 1)·{axis.stride} + {axis.extent}{_less(layer, found)} = {axis.size - found.edge}"
    return f"this {layer.kind.name} never reads {some} of its input", f"its last window ends at {end} of {axis.size}"


def _lines(layer: Layer, found: Unread) -> str:
    """Return what lies along the axis: rows or columns of an image, else positions."""
    if rank(layer.in_shape) == 2:
        return {"height": "rows", "width": "columns"}.get(found.which, "places")
    return f"positions of the {found.which}"


def _less(layer: Layer, found: Unread) -> str:
    pad = layer.options[PAD]
    if isinstance(pad, str):
        return ""
    side = pad.before if isinstance(pad, Sides) else pad[axis_names(layer.in_shape).index(found.which)]
    return f" - {side}" if side else ""


def _fix(model: Autoencoder, layer: Layer) -> Fix | None:
    """Return a slightly larger kernel that reads everything and keeps the sizes, an odd one if possible."""
    kernel = layer.options[KERNEL]
    for step in (2, 1, 4, 3) if kernel[0] % 2 else (1, 2, 3, 4):
        taller = tuple(taps + step for taps in kernel)
        changed = same_size(model, layer, {KERNEL: taller})
        if changed and not any(map(unread, changed)):
            larger = sizes_text(taller)
            edit = write(layer, KERNEL, f"k{larger}" if layer.kind.window is Window.CONVOLUTION else larger)
            return Fix(f"read everything with a kernel of {larger}", (edit,), Applicability.UNSAFE)
    return None
