"""The output layer has a normalisation.

## What it does
Warns if the layer that returns the reconstruction has any `norm=`.

## Why is this bad?
A normalisation gives each channel mean 0 and standard deviation 1, over the batch or over each image; images have
neither. Its scale and shift must first learn the mean and contrast of the images, and until then every output is wrong.
In a pilot of 500 steps, batch normalisation before a sigmoid left 1.0 of the variance on MNIST (0.36 on Fashion-MNIST),
and before a linear output 1.4 to 1.5 (1.1 to 1.2), against about 0.2 without. Longer training may recover. With
`affine=off` the layer cannot learn mean and contrast at all.

## Example
```cae
decoder { conv 8 relu norm=batch; upsample 2; conv 1 norm=batch sigmoid }
```

## Instead
```cae
decoder { conv 8 relu norm=batch; upsample 2; conv 1 sigmoid }
```

## How sure
Measured for batch normalisation on two datasets, after 500 steps.

## References
- Radford et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial networks",
  arXiv 1511.06434: no batch normalisation at the generator's output.
"""

from collections.abc import Iterator
from math import sqrt

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Proposal, Severity
from caedsl.facts.outputs import output_layer
from caedsl.facts.presets import pixel_range, preset
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import drop, tried, write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.norms import BELONGS_TO, NORM

RULE = Rule("CAE407", "normalised-output", Severity.WARNING)

_OPTIONS = ("norm", *BELONGS_TO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the output layer's normalisation."""
    layer = output_layer(model)
    if layer is None or layer.norm is None:
        return
    yield RULE.found(
        layer.place(NORM),
        f"`norm={layer.norm.name}` at the output gives each channel mean 0 and deviation 1, unlike any image",
        label="mean and contrast must be learned again",
        notes=_statistics(model),
        help="remove the normalisation from the last layer",
        fix=Proposal(
            lambda: Fix("remove the normalisation from the last layer", _without(model, layer), Applicability.UNSAFE)
        ),
        data={"norm": layer.norm.name},
    )


def _without(model: Autoencoder, layer: Layer) -> tuple[Edit, ...]:
    """Remove the normalisation and its options; write `norm=none` if the defaults would add one."""
    if NORM.name not in layer.spans:
        return (write(layer, NORM, "norm=none"),)
    edits = sorted(drop(model, layer.spans[name]) for name in _OPTIONS if name in layer.spans)
    changed = tried(model, edits)
    left = output_layer(changed) if changed else None
    if left is not None and left.norm is None:
        return tuple(edits)
    return (Edit(layer.spans[NORM.name], "norm=none"),)


def _statistics(model: Autoencoder) -> tuple[str, ...]:
    known, values = preset(model), pixel_range(model)
    if known is None or not known.greys or values.low is None or values.high is None:
        return ()
    width, top = values.high - values.low, len(known.greys) - 1
    mean = sum(share * level / top for level, share in enumerate(known.greys))
    deviation = sqrt(sum(share * (level / top - mean) ** 2 for level, share in enumerate(known.greys)))
    return (
        f"the pixels of {model.data[0].name} have mean {values.low + width * mean:.2g}, deviation "
        f"{width * deviation:.2g}",
    )
