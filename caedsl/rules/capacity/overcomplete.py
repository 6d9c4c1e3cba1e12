"""The code holds at least as many numbers as the image.

## What it does
Compares the size of the code with the size of the input. It warns if the code is at least as large, and reports an info
if it is at least half as large. It skips denoisers and codes with noise or an activity penalty, where noise or sparsity
limits what the code can hold. A lower bound on `compression` in `require` replaces this rule.

## Why is this bad?
An autoencoder should compress; if its code is larger than the image, it can copy the image. Such models train well and
reach a low loss, but their code is of little use. The model of "Why is the convolutional autoencoder failing to train?"
has a code of exactly 784 numbers for 784 pixels, and its two improved versions have 6,272.

## Example
```cae
encoder { conv 16 relu x2; maxpool 2; conv 16 relu }
bottleneck
```

## Instead
```cae
encoder { conv 16 relu x2; maxpool 2; conv 16 relu }
bottleneck conv 1
```

## How sure
The count is arithmetic. That such a code is of little use is the textbook argument; it says nothing about the loss.

## References
- Goodfellow, Bengio and Courville 2016, "Deep Learning", sections 14.1 and 14.2.
- Vincent et al. 2010, "Stacked denoising autoencoders", JMLR 11: overcomplete codes that noise makes useful.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Proposal, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.code import can_copy, kept_from_copying
from caedsl.facts.stated_bounds import bounded_below
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.shape import elements, is_map, text

RULE = Rule("CAE302", "overcomplete", Severity.WARNING)

_COPY = "a code as large as the image can hold a copy of it: the loss falls although nothing is learned"

TARGET = 4
"""Let the fix aim for this compression of a map (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck line."""
    whole, code = elements(model.input.shape), elements(model.code_shape)
    if 2 * code < whole or can_copy(model) or kept_from_copying(model) or bounded_below(model, "compression"):
        return
    if code == whole:
        size = f"exactly as many as the image has: {whole:,}"
    elif code > whole:
        size = f"{code / whole:.3g} times the {whole:,} of the image"
    else:
        size = f"{code / whole:.0%} of the {whole:,} of the image"
    yield RULE.found(
        model.bottleneck.span,
        f"the code holds {counted(code, 'number')}, {size}",
        label=f"the code is {text(model.code_shape)}",
        related=(Label(model.input.span, f"{text(model.input.shape)} = {whole:,}"),),
        notes=(f"compression {whole:,} / {code:,} = {whole / code:.3g}", *((_COPY,) if code >= whole else ())),
        help=f"narrow the code (`{_narrow_line(model)}`), or limit it in another way: `corrupt gaussian=0.2` makes a "
        "denoiser, `l1=1e-4` on the bottleneck makes a sparse code",
        fix=Proposal(lambda: _narrower(model)),
        severity=None if code >= whole else Severity.INFO,
        data={"code": code, "values": whole, "compression": whole / code},
    )


def _narrow_line(model: Autoencoder) -> str:
    """Return a bottleneck line with a quarter of the image's size, or a sixteenth for a vector."""
    kind, room = ("conv", _room(model)) if is_map(model.code_shape) and _room(model) else ("dense", _vector_room(model))
    return f"bottleneck {kind} {_power_of_two(room)}"


def _room(model: Autoencoder) -> int:
    return elements(model.input.shape) // TARGET // elements(model.code_shape[1:])


def _vector_room(model: Autoencoder) -> int:
    return max(1, elements(model.input.shape) // TARGET**2)


def _narrower(model: Autoencoder) -> Fix | None:
    """Return that bottleneck, or a narrower last encoder layer if the rest of the model allows it."""
    on_map = is_map(model.code_shape)
    room = _room(model) if on_map else _vector_room(model)
    if not room:
        return None
    made = model.bottleneck.layers[-1] if model.bottleneck.layers else None
    option = CHANNELS if on_map else UNITS
    edit = (
        Edit(made.place(option), str(_power_of_two(room))) if made else Edit(model.bottleneck.span, _narrow_line(model))
    )
    changed = tried(model, (edit,))
    if (
        changed is None
        or changed.out_shape != model.out_shape
        or 2 * elements(changed.code_shape) >= elements(model.input.shape)
    ):
        return None
    return Fix(f"narrow the code to {counted(elements(changed.code_shape), 'number')}", (edit,), Applicability.UNSAFE)


def _power_of_two(most: int) -> int:
    """Return the largest power of two that is at most ``most``."""
    return 1 << (most.bit_length() - 1)
