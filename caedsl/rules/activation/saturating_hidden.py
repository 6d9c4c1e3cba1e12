"""Several hidden sigmoid or tanh layers in a row make the gradient vanish.

## What it does
Warns if the encoder or the decoder has two or more hidden sigmoid layers without a normalisation, and reports an info
if the whole model has eight or more hidden tanh layers. A sigmoid at the output does not count.

## Why is this bad?
The derivative of a sigmoid is at most 1/4, so n of them leave at most 1/4ⁿ of a gradient: six leave 1/4096. In a pilot
on MNIST and Fashion-MNIST, every run with sigmoids in all hidden layers ended no better than the mean image (8 of 8).
tanh passes small signals unchanged and shrinks gradients only when it saturates.

## Example
```cae
encoder { conv 16 k4 s2 sigmoid; conv 32 k4 s2 sigmoid }
```

## Instead
```cae
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }
```

## How sure
The factor 1/4 is arithmetic. The limit of two sigmoid layers was measured on small networks; the limit of eight tanh
layers is a heuristic.

## References
- Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
"""

from collections.abc import Iterator, Sequence
from math import log10, prod

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Severity
from caedsl.facts.outputs import code_layer
from caedsl.facts.signal import saturating_sides, saturating_stack
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import is_map

RULE = Rule("CAE404", "saturating-hidden", Severity.WARNING)

MANY_STEEP = 8
"""Report an info from this many hidden layers on whose slope at 0 is 1, such as tanh (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding, at the first of the layers."""
    sides, steep = saturating_sides(model), saturating_stack(model)
    if sides:
        yield _fading(model, [layer for layers in sides.values() for layer in layers])
    elif len(steep) >= MANY_STEEP:
        yield RULE.found(
            steep[0].place(ACTIVATION),
            f"{len(steep)} hidden {steep[0].activation.name} layers without a normalisation: gradients vanish "
            "when they saturate",
            help="use `relu`, or `norm=batch`",
            severity=Severity.INFO,
            data={"layers": len(steep)},
        )


def _fading(model: Autoencoder, layers: list[Layer]) -> Finding:
    edits = _edits(model, layers)
    slopes = [layer.activation.slope for layer in layers]
    names = list(dict.fromkeys(layer.activation.name for layer in layers))
    others = [layer.place(ACTIVATION) for layer in layers if layer.mirrors is None]
    return RULE.found(
        layers[0].place(ACTIVATION),
        f"{len(layers)} hidden {' and '.join(names)} layers: each passes at most {_share([max(slopes)])} of a "
        f"gradient, all together {_share(slopes)}",
        label="all later layers shrink the gradient that arrives here",
        related=tuple(Label(span, "another one") for span in sorted({*others} - {layers[0].place(ACTIVATION)})),
        notes=(
            f"the largest slope is {_share([max(slopes)])}; the product of all slopes is "
            f"10^{sum(map(log10, slopes)):.1f}",
        ),
        help="use `relu` or `leaky_relu` in hidden layers; the output may keep its activation",
        fix=Fix("use `relu` in hidden layers", edits, Applicability.UNSAFE) if edits else None,
        data={"layers": len(layers), "slopes": slopes},
    )


def _share(slopes: Sequence[float]) -> str:
    """Return the product of the slopes as a fraction, or as a power if that is shorter."""
    if len(slopes) <= 10:
        return f"1/{round(1 / prod(slopes)):,}"
    inverse = 1 / max(slopes)
    return f"1/{inverse:g}^{len(slopes)}" if len(set(slopes)) == 1 else f"at most 1/{inverse:g}^{len(slopes)}"


def _edits(model: Autoencoder, layers: list[Layer]) -> tuple[Edit, ...]:
    """Return a ReLU on every line that is written; none on a code of numbers, where units would die."""
    written = {layer.span: layer for layer in layers if layer.mirrors is None}
    edits = (write(layer, ACTIVATION, "linear" if _is_code(model, layer) else "relu") for layer in written.values())
    return tuple(sorted(edits, key=lambda edit: edit.span))


def _is_code(model: Autoencoder, layer: Layer) -> bool:
    return layer is code_layer(model) and not is_map(model.code_shape)
