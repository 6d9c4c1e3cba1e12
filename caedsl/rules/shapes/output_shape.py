"""The decoder's output does not have the size of the input.

## What it does
Follows the sizes through encoder and decoder and compares the output with the input. The notes list the sizes and
explain every step that is not a plain halving or doubling.

## Why is this bad?
The loss compares a reconstruction with its image pixel by pixel, so both need the same size: training cannot start.
Usually an odd size was halved and rounded, and doubling cannot return to it: 50 becomes 25, 13, 7, and then 14, 28, 56.

A fix is offered only after the changed spec was resolved again and returns the input's size. "Same" padding is not
always right: a well-known published model (see the references) needs its one valid convolution, 4 → 8 → 16 → 14 → 28,
and returns 32 with "same" padding.

## Example
```cae
encoder { conv 16 relu; maxpool 2; conv 16 relu; maxpool 2; conv 8 relu; maxpool 2 }
decoder { conv 8 relu; upsample 2; conv 16 relu; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2; conv 16 relu; maxpool 2; conv 8 relu; maxpool 2 ceil }
decoder { conv 8 relu; upsample to 7x7; conv 16 relu; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }
```

## How sure
Arithmetic. The fix changes the model, so it is applied only with `--unsafe-fixes`.

## References
- Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
- F. Chollet 2016, "Building autoencoders in Keras", The Keras Blog: the model with a single valid convolution.
"""

from collections.abc import Iterator, Sequence
from math import prod

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.facts.sizes import channels_last, decoder_path, encoder_path, size_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.size_repair import size_fixes
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import axes_text, axis_names, elements, is_map, rank, text

RULE = Rule("CAE201", "output-shape", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding if the decoder does not end at the input's height and width."""
    out = model.out_shape
    if out[1:] == model.target.shape[1:] or channels_last(model) or _code_disputed(model):
        return
    if not is_map(out):
        yield _vector(model)
        return
    sides = text(out[1:]), text(model.target.shape[1:])
    yield RULE.found(
        _last_resizing(model),
        f"the decoder returns {sides[0]}, but the {_wanted(model)} is {sides[1]}",
        label=f"the size is {sides[0]} after this layer",
        related=(_compared(model, sides[1]), *_rounded(model)),
        notes=_columns(model),
        fix=Proposal(lambda: size_fixes(model), _remedy(model)),
        data={"output": out, _wanted(model): model.target.shape},
    )


def _wanted(model: Autoencoder) -> str:
    """Return the line that determines what the decoder must return."""
    return "input" if model.target is model.input else "target"


def _compared(model: Autoencoder, size: str, go: str = "goes") -> Label:
    return Label(model.target.span, f"{size} {go} in" if model.target is model.input else f"{size} must come out")


def _code_disputed(model: Autoencoder) -> bool:
    """Return whether the bottleneck asserts another shape than the code has; its finding then covers this one."""
    faults = compiled(model.source.text, model.source.path).findings
    return any(fault.name == "code-shape-mismatch" for fault in faults)


def _last_resizing(model: Autoencoder) -> Span:
    """Return the last layer of the decoder that changes the size, or its last layer if none does."""
    layers = decoder_path(model)
    last = next((layer for layer in reversed(layers) if layer.resizes), layers[-1] if layers else None)
    return last.span if last else model.place("decoder")


def _rounded(model: Autoencoder) -> tuple[Label, ...]:
    """Return the layer of the encoder whose rounding is the first that the decoder does not undo, if there is one."""
    odd = (layer for layer in encoder_path(model) if layer.resizes and _rounds(layer))
    return tuple(
        Label(layer.span, f"{text(layer.in_shape[1:])} becomes {text(layer.out_shape[1:])}") for layer in list(odd)[:1]
    )


def _rounds(layer: Layer) -> bool:
    return any(before % after for before, after in zip(layer.in_shape[1:], layer.out_shape[1:], strict=True))


def _columns(model: Autoencoder) -> tuple[str, ...]:
    """Return encoder and decoder step by step for each wrong axis, or once if both axes are alike."""
    shape = model.target.shape
    if rank(model.out_shape) != rank(shape):
        return ()
    wrong = [i for i in range(rank(shape)) if model.out_shape[1 + i] != shape[1 + i]]
    lines = [(_down(model, i), _up(model, i)) for i in wrong]
    alike = len(set(lines)) == 1 and len(lines) == rank(shape)
    names = (axes_text(rank(shape)),) if alike else tuple(axis_names(shape)[i] for i in wrong)
    return tuple(
        f"{name}: encoder {down}; decoder {up}, but the {_wanted(model)} side was {shape[1 + wrong[i]]}"
        for i, (name, (down, up)) in enumerate(zip(names, lines, strict=False))
    )


def _down(model: Autoencoder, which: int) -> str:
    return size_path(model.input.shape, encoder_path(model), which)


def _up(model: Autoencoder, which: int) -> str:
    return size_path(model.code_shape, decoder_path(model), which)


def _remedy(model: Autoencoder) -> str:
    """Return the help for the case that no change that was tried works."""
    axes = rank(model.target.shape)
    if rank(model.out_shape) != axes:
        return f"let the decoder return {text(model.target.shape)}, with a `reshape` or as `decoder mirror`"
    down, up = _reduction(encoder_path(model), axes), _reduction(decoder_path(model), axes)
    opening = "no change to one or two lines that was tried makes the sizes match"
    if model.mirrored:
        return "write an explicit decoder: `decoder { ... }`"
    if model.target is model.input and all(d * u == 1 for d, u in zip(down, up, strict=True)):
        return f"{opening}: write `decoder mirror`, which returns to every size of the encoder"
    factors = " and ".join(f"{1 / d:g} down, {u:g} up" for d, u in sorted(set(zip(down, up, strict=True))))
    if model.target is not model.input:
        return f"{opening}: let the decoder return {text(model.target.shape[1:])}"
    return f"{opening} (in total {factors}): give the decoder as many steps as the encoder, or write `decoder mirror`"


def _reduction(layers: Sequence[Layer], axes: int) -> tuple[float, ...]:
    """Return the product of the plain factors by which each axis changes."""
    resizing = [layer for layer in layers if layer.resizes]
    return tuple(prod(_factor(layer, 1 + i) for layer in resizing) for i in range(axes))


def _factor(layer: Layer, side: int) -> float:
    before, after = layer.in_shape[side], layer.out_shape[side]
    return round(after / before) or 1 if after > before else 1 / round(before / after)


def _vector(model: Autoencoder) -> Finding:
    """Return the finding for a decoder that ends with a vector: a reshape is missing if the numbers suffice."""
    got, wanted = model.out_shape[0], model.target.shape
    fits = got == elements(wanted)
    end = decoder_path(model)[-1].span.end
    written = bool(model.decoder) and not model.mirrored
    fix = Fix(
        f"reshape the vector to {text(wanted)}",
        (Edit(Span(end, end), f"; reshape {text(wanted)}"),),
        Applicability.SAFE,
    )
    return RULE.found(
        decoder_path(model)[-1].span,
        f"the decoder ends with a vector of {got} numbers, but the {_wanted(model)} is {text(wanted)}",
        related=(_compared(model, f"{text(wanted)} = {elements(wanted)} numbers", "go"),),
        help=f"end with `reshape {text(wanted)}`"
        if fits
        else f"end with `dense {elements(wanted)}`, then `reshape {text(wanted)}`",
        fix=fix if fits and written else None,
        data={"output": model.out_shape, _wanted(model): wanted},
    )
