"""A hidden layer is narrower than the code, or has one or two rectified channels.

## What it does
Reports two kinds of pinch: a layer other than the code that holds fewer numbers than the code (and than the image), and
a layer of one or two rectified channels between layers with at least four times as many. The layer after it may also be
the output layer, with any number of channels.

## Why is this bad?
The narrowest layer is the effective code: a code of 64 after a layer of 16 numbers holds the information of 16. If a
single rectified channel dies, the output no longer depends on the image at all. In a pilot on MNIST, one such layer in
the decoder left 40 to 56 % of the variance unexplained (19 to 22 % without it), and in the encoder 22 to 34 %. On
digits, one channel before the output layer left 1.7 and 2.9 times as much as the same model without it, and in the
encoder 1.2 times.

## Example
```cae
encoder { conv 16 relu; maxpool 2; conv 1 relu; conv 16 relu; maxpool 2 }
bottleneck dense 32
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2; conv 16 relu; conv 16 relu; maxpool 2 }
bottleneck dense 32
```

## How sure
That fewer numbers cannot carry more information is arithmetic; the cost of a narrow layer was measured on three small
datasets.
"""

from collections.abc import Iterator, Sequence

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Severity
from caedsl.facts.connections import bypassed, without_stages
from caedsl.facts.outputs import output_layer
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.shape import elements, is_map, text
from caedsl.vocabulary.window import DEPTHWISE

RULE = Rule("CAE305", "channel-pinch", Severity.WARNING)

NARROW, TIMES = 2, 4
"""Report at most this many rectified channels between layers that are this many times wider (measured)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line that pinches.

    Layers that a shortcut or a named output bypasses are skipped, because not everything passes through them.
    """
    if channels_last(model):
        return
    encoder = [*without_stages(model.encoder), *model.bottleneck.layers]
    decoder = [*model.bottleneck.inverse, *without_stages(model.decoder)]
    seen = set()
    for part, hidden in ((encoder, encoder[:-1]), (decoder, decoder[:-1])):
        for i, layer in enumerate(hidden):
            skipped = layer.mirrors is not None or layer.span in seen or id(layer) in bypassed(model)
            if not skipped and (found := _pinch(model, part, i)):
                seen.add(layer.span)
                yield found


def _pinch(model: Autoencoder, part: Sequence[Layer], i: int) -> Finding | None:
    layer, code = part[i], elements(model.code_shape)
    held = elements(layer.out_shape)
    if held < min(code, elements(model.input.shape)):
        first = next(other for other in part if elements(other.out_shape) < code)
        return _less_than_code(model, part, i) if first is layer else None
    neighbours = _neighbours(model, part, i) if _is_thin(layer) else ()
    if not neighbours or min(neighbours) < TIMES * layer.out_shape[0]:
        return None
    channels = layer.out_shape[0]
    few = "one rectified channel" if channels == 1 else f"{channels} rectified channels"
    return RULE.found(
        layer.place(CHANNELS),
        f"everything passes through {few}, between layers of {min(neighbours)}: if "
        f"{'it dies' if channels == 1 else 'they die'}, "
        "the output is a constant",
        label=f"{text(layer.out_shape)}",
        help=f"use {max(neighbours)} channels, as in the layers next to it",
        fix=_widened(layer, max(neighbours)),
        data={"channels": channels, "neighbours": neighbours},
    )


def _less_than_code(model: Autoencoder, part: Sequence[Layer], i: int) -> Finding:
    layer, code = part[i], elements(model.code_shape)
    held, least = elements(layer.out_shape), -(-code // _room(part[i:]))
    enough = least if least > NARROW else max((least, *_neighbours(model, part, i)))
    maker = next((other for other in reversed(part[: i + 1]) if INIT in other.options), layer)
    return RULE.found(
        layer.place(CHANNELS),
        f"this layer holds {held:,} numbers, fewer than the {code:,} of the code: only {held:,} of those can have an "
        "effect",
        label=f"{text(layer.out_shape)} = {held:,}" if is_map(layer.out_shape) else "",
        related=(Label(model.bottleneck.span, f"the code is {text(model.code_shape)}"),),
        help=f"widen it to at least {least} {'channels' if is_map(layer.out_shape) else 'numbers'}, or narrow the code",
        fix=_widened(maker, enough),
        data={"numbers": held, "code": code},
    )


def _room(layers: Sequence[Layer]) -> int:
    """Return the fewest pixels of a channel from the first of ``layers`` to the next one with channels of its own."""
    last = next((i for i in range(1, len(layers)) if INIT in layers[i].options), len(layers))
    return min(elements(layer.out_shape[1:]) if is_map(layer.out_shape) else 1 for layer in layers[:last])


def _is_thin(layer: Layer) -> bool:
    if not is_map(layer.out_shape) or CHANNELS not in layer.options or layer.options[DEPTHWISE]:
        return False
    return layer.out_shape[0] <= NARROW and layer.activation.low == 0


def _neighbours(model: Autoencoder, part: Sequence[Layer], i: int) -> tuple[int, ...]:
    """Return the channels of the nearest weighted layers on both sides that are on other lines, if both exist.

    The output layer does not count, because the image determines its channels.
    """
    sides = reversed(part[:i]), iter(part[i + 1 :])
    nearest = (
        next((layer for layer in side if CHANNELS in layer.options and layer.span != part[i].span), None)
        for side in sides
    )
    before, after = nearest
    if before is None or after is None:
        return ()
    return (before.out_shape[0],) if after is output_layer(model) else (before.out_shape[0], after.out_shape[0])


def _widened(layer: Layer, channels: int) -> Fix | None:
    place = layer.spans.get(CHANNELS.name) or layer.spans.get(UNITS.name)
    if place is None:
        return None
    return Fix(f"widen it to {channels}", (Edit(place, str(channels)),), Applicability.UNSAFE)
