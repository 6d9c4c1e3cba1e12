"""A codebook has more vectors than the data can fill.

## What it does
Counts the places of all training images, and the vectors of a quantized code. It informs where a vector has fewer than
39 places, and warns where there are more vectors than places, or where a batch has fewer than one place for 20 vectors.

## Why is this bad?
A vector moves to the average of what takes it. With more vectors than places every place can have one of its own, and
nothing is compressed. Where a batch has too few places, vectors start again before they are taken: the codebook never
settles.

## Example
```cae
input 1x8x8
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 8192x8
train { batch 64; epochs 20 }
```

## Instead
```cae
input 1x8x8
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 128x8
train { batch 64; epochs 20 }
```

## How sure
That vectors without places are unused is arithmetic, and so is the border of a batch, at which vectors start again.
That 39 places are enough is the heuristic of a library for clustering.

## References
- van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937.
- Johnson et al., FAISS, "Clustering": 39 points for each centroid, at least.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.code_kinds import CODEBOOK, GRADIENT, UPDATE
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE308", "oversized-codebook", Severity.WARNING)

ENOUGH = 39
"""Places for each vector that are enough (heuristic)."""
VECTORS_A_PLACE = 20
"""Vectors for each place of a batch above which some always start again: an average below 1/20 does."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the codebook's size."""
    layers, images = model.bottleneck.layers, training_images(model)
    if not layers or CODEBOOK not in layers[-1].options or images is None:
        return
    vectors, channels = layers[-1].options[CODEBOOK]
    places = elements(model.code_shape[1:])
    batch = model.train.batch if model.train and not isinstance(model.train.batch, str) else None
    follows = layers[-1].options[UPDATE] != GRADIENT
    restless = follows and batch is not None and vectors > VECTORS_A_PLACE * batch * places
    if images * places >= ENOUGH * vectors and not restless:
        return
    most = images * places // ENOUGH if batch is None else min(images * places // ENOUGH, batch * places)
    fewer = 1 << max(0, most.bit_length() - 1)
    why = (
        f"a batch has {batch * places:,} places" if restless and batch else f"the data have {images * places:,} places"
    )
    place = layers[-1].place(CODEBOOK)
    yield RULE.found(
        place,
        f"a codebook of {vectors:,} vectors, and {why} to fill it",
        label=f"{places:,} places an image",
        help=f"use `{fewer}x{channels}`, or more images",
        fix=Fix(f"use {fewer} vectors", (Edit(place, f"{fewer}x{channels}"),), Applicability.UNSAFE),
        severity=None if restless or vectors > images * places else Severity.INFO,
        data={"vectors": vectors, "places": images * places},
    )
