"""The signal fades through the layers: the image hardly reaches the output.

## What it does
Multiplies, layer by layer, fan_in·Var(w) of the initialisation by the share that the activation passes (1/2 for a
ReLU). The product is the gain of the image's variance before training. It warns if the product falls below 1e-8
anywhere. A normalisation restarts the product, and a residual block adds its input. `saturating-hidden` covers stacks
of sigmoids.

## Why is this bad?
Before training, the output then depends only on biases and rounding errors, and the gradient fades in the same way on
its way back. PyTorch's default initialisation keeps 1/6 of the variance per ReLU layer. In a pilot, a network of 30
layers with this default failed in 4 of 4 runs; with He's initialisation it left 0.24 to 0.31 of the variance, with
batch normalisation 0.23 to 0.27.

## Example
```cae
encoder { conv 16 relu init=torch x14; maxpool 2 }
```

## Instead
```cae
encoder { conv 16 relu x14; maxpool 2 }
```

## How sure
The gain is arithmetic (for activations other than ReLU, at unit variance); the limit of 1e-8 is a heuristic. It is an
error below 1e-14 if biases do not start at 0 (`init=torch`): the signal is then 1e-7 of the biases, which is below the
precision of 32-bit floats.

## References
- He et al. 2015, "Delving deep into rectifiers", arXiv 1502.01852.
- pytorch/pytorch issues 6950 and 15314: the default's variance is a sixth of He's.
"""

from collections.abc import Iterator
from itertools import takewhile

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.signal import Gain, saturating_sides, signal_path
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kernel_options import BIAS, BIAS_INIT, INIT, ZEROS
from caedsl.vocabulary.layer import Layer

RULE = Rule("CAE801", "fading-signal", Severity.WARNING, escalates=True)

FAINT, LOST = -8.0, -14.0
"""Limit the signal's variance to these powers of ten."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the layer with the smallest signal."""
    if channels_last(model):
        return
    path = signal_path(model)
    faintest = min(path, key=lambda gain: gain.total, default=None)
    if faintest is None or faintest.total >= FAINT or saturating_sides(model):
        return
    run = _since_normalised(path[: path.index(faintest) + 1])
    fading = [gain for gain in run if gain.own < 0 and INIT in gain.layer.options]
    biased = any(gain.layer.options[BIAS] and gain.layer.options[BIAS_INIT] != ZEROS for gain in fading)
    edits = _edits(run)
    yield RULE.found(
        fading[0].layer.place(INIT) if fading else faintest.layer.span,
        f"{len(fading)} layers multiply the image's variance by 1e{faintest.total:.0f} before training",
        label="fades from here on",
        notes=(f"fan_in·Var(w)·(share that the activation passes): {_product(fading)}",),
        help="use the default initialisation, or `norm=batch`",
        fix=Fix("use the default initialisation", edits, Applicability.UNSAFE) if edits else None,
        severity=Severity.ERROR if biased and faintest.total < LOST else None,
        data={"layers": len(fading), "power_of_ten": faintest.total},
    )


def _since_normalised(path: tuple[Gain, ...]) -> list[Gain]:
    later = takewhile(lambda gain: gain.layer.norm is None, reversed(path))
    return list(later)[::-1]


def _product(fading: list[Gain]) -> str:
    powers = sum(gain.own for gain in fading)
    mean = 10 ** (powers / max(1, len(fading)))
    return f"{mean:.2g} per layer on average, {mean:.2g}^{len(fading)} = 1e{powers:.0f}"


def _edits(run: list[Gain]) -> tuple[Edit, ...]:
    """Return edits that write the default initialisation on every faded line that sets another one."""
    written: dict[object, Layer] = {}
    for gain in run:
        layer = gain.layer
        if layer.mirrors is None and layer.options.get(INIT, "auto") != "auto":
            written[layer.span] = layer
    edits = (write(layer, INIT, "init=auto") for layer in written.values())
    return tuple(sorted(edits, key=lambda edit: edit.span))
