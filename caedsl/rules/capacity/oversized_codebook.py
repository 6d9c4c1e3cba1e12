"""A codebook has more vectors than the data can use.

## What it does
Compares the number of vectors with the number of positions in the codes of all training images. It reports an info if
there are fewer than 39 positions per vector, and warns if there are more vectors than positions, or if a batch has
fewer than one position per 20 vectors.

## Why is this bad?
A vector moves to the average of the positions that are assigned to it. With more vectors than positions, every position
can have a vector of its own, and nothing is compressed. If a batch has too few positions, unused vectors are reset
before anything is assigned to them, and the codebook never converges.

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
That some vectors remain unused is arithmetic, and so is the limit for a batch, below which vectors are reset. The limit
of 39 positions is the heuristic of a clustering library.

## References
- van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937.
- Johnson et al., FAISS, "Clustering": at least 39 points per centroid.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.code_kinds import CODEBOOK, GRADIENT, UPDATE
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE308", "oversized-codebook", Severity.WARNING)

ENOUGH = 39
"""Require at least this many positions per vector (heuristic)."""
VECTORS_A_PLACE = 20
"""Limit the vectors per position of a batch: above this, some are always reset, which happens below an average of 1/20.
"""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the codebook's size."""
    layers, images = model.bottleneck.layers, training_images(model)
    if not layers or CODEBOOK not in layers[-1].options or images is None:
        return
    vectors, *channels = layers[-1].options[CODEBOOK]
    places = elements(model.code_shape[1:])
    batch = model.train.batch if model.train and not isinstance(model.train.batch, str) else None
    follows = layers[-1].options[UPDATE] != GRADIENT
    resets = follows and batch is not None and vectors > VECTORS_A_PLACE * batch * places
    if images * places >= ENOUGH * vectors and not resets:
        return
    most = images * places // ENOUGH if batch is None else min(images * places // ENOUGH, batch * places)
    fewer = 1 << max(0, most.bit_length() - 1)
    smaller = text((fewer, *channels))
    why = (
        f"a batch has only {counted(batch * places, 'position')}"
        if resets and batch
        else f"the data have only {counted(images * places, 'position')}"
    )
    place = layers[-1].place(CODEBOOK)
    yield RULE.found(
        place,
        f"a codebook of {vectors:,} vectors, but {why} to fill it",
        label=f"{counted(places, 'position')} per image",
        help=f"use `{smaller}`, or more images",
        fix=Fix(f"use {fewer} vectors", (Edit(place, smaller),), Applicability.UNSAFE),
        severity=None if resets or vectors > images * places else Severity.INFO,
        data={"vectors": vectors, "places": images * places},
    )
