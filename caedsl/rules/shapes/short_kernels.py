"""The convolutions of a signal see only a small part of it at a time.

## What it does
Reports an info if the encoder of a signal has convolutions before a dense layer, and the last map before that layer
sees less than a sixteenth of the signal. It skips signals of fewer than 128 samples, and codes that are maps, which
`receptive-field-small` covers.

## Why is this bad?
A convolution recognises a wave by its shape. If it sees less than a period, it recognises only slopes, and the dense
layer after it must learn the period separately at every position. Kernels of 7 to 16 samples, strides and dilation are
common for signals.

## Example
```cae
input 1x1024
encoder { conv 16 k3 s2 relu; conv 32 k3 s2 relu; conv 32 k3 s2 relu }
```

## Instead
```cae
input 1x1024
encoder { conv 16 k16 s4 relu; conv 32 k8 s4 relu; conv 32 k8 s4 relu }
```

## How sure
The length is arithmetic. The limit of a sixteenth is a heuristic; the right limit depends on the period of the signal,
which a spec does not state. On generated heartbeats of 288 samples, two convolutions with stride 2 and a code of 12
numbers had an error of 0.0041 and 0.0041 after 20 epochs (two seeds) with kernels of 3, and of 0.0034 and 0.0024 with
kernels of 16; the AUROC of abnormal heartbeats rose from 0.795 and 0.781 to 0.842 and 0.850. Kernels of 16 and 8 with
strides of 4 gained little: an error of 0.0041, and an AUROC of 0.813 (one seed).

## References
- Zhang et al. 2017, "A new deep learning model for fault diagnosis with good anti-noise and domain adaptation ability
  on raw vibration signals", Sensors 17(2): a wide first kernel for signals.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.receptive_field import code_field, receptive_fields
from caedsl.facts.sizes import encoder_path
from caedsl.facts.stated_bounds import bounded_below
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import is_map, rank

RULE = Rule("CAE219", "short-kernels", Severity.INFO)

SHARE = 16
"""Report an info if the field is smaller than the signal's length divided by this (heuristic)."""

SHORTEST = 128
"""Skip signals with fewer samples than this (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the last convolution before the dense layer."""
    last = _last_convolution(model)
    if last is None or rank(model.input.shape) != 1 or bounded_below(model, "receptive_field"):
        return
    length, seen = model.input.shape[1], receptive_fields(model)[id(last)][0]
    if length < SHORTEST or seen * SHARE >= length or code_field(model)[0] < length:
        return
    yield RULE.found(
        last.span,
        f"the convolutions see {seen} of {length:,} samples at a time",
        related=(Label(model.input.span, f"{length:,} samples"),),
        notes=(f"{seen} < {length:,}/{SHARE} = {length / SHARE:g}",),
        help="use longer kernels (`k16`), also with larger strides (`k16 s4`), if the signal has longer periods",
        data={"seen": seen, "length": length},
    )


def _last_convolution(model: Autoencoder) -> Layer | None:
    """Return the last convolution of the encoder whose output is a map."""
    layers = (layer for layer in reversed(encoder_path(model)) if is_map(layer.out_shape))
    return next((layer for layer in layers if layer.kind.window is Window.CONVOLUTION), None)
