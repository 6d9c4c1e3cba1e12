"""Batch normalisation with so few images that its statistics are noise or undefined.

## What it does
Warns about `norm=batch` with batches of fewer than 4 images if some channel has fewer than 32 numbers per batch
(images, height and width multiplied), and reports an info if every channel has more. It is an error if a normalised
layer returns one number per channel and a batch has a single image: either every batch, or the last one of each epoch,
if the number of images is known.

## Why is this bad?
The mean and the standard deviation of each channel are computed over the batch. Over two or three images they are
noisy, which disturbs training and differs from the statistics used for evaluation. The standard deviation of a single
number is 0, and PyTorch refuses to train. On digits with maps of 2x2, batches of 1, 2 and 4 (4, 8 and 16 numbers per
channel) left 2.4, 2.1 and 1.5 times as much of the variance as batches of 32; with maps of 8x8, batches of 1 and 2 did
no harm.

## Example
```cae
data mnist
defaults conv k4 s2 relu norm=batch
encoder { conv 8; conv 16; conv 32; conv 32 }
train { batch 2; epochs 20 }
```

## Instead
```cae
data mnist
defaults conv k4 s2 relu norm=layer
encoder { conv 8; conv 16; conv 32; conv 32 }
train { batch 2; epochs 20 }
```

## How sure
That a single number has no deviation is arithmetic; the limits of 4 images and 32 numbers are heuristics.

## References
- Ioffe and Szegedy 2015, "Batch normalization", arXiv 1502.03167.
- Wu and He 2018, "Group normalization", arXiv 1803.08494: the error of batch normalisation grows below 8 images.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Proposal, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE705", "small-batch-norm", Severity.WARNING, escalates=True)

USUAL = 32
"""Write this batch size in a fix."""

FEW, FEW_NUMBERS = 4, 32
"""Require at least this many images per batch or numbers per channel (heuristics)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the batch."""
    normalised = [layer for _, layer in model.layers() if layer.norm and layer.norm.over_batch]
    if model.train is None or not normalised or isinstance(model.train.batch, str):
        return
    batch, images = model.train.batch, training_images(model)
    single = next((layer for layer in normalised if elements(layer.out_shape) == layer.out_shape[0]), None)
    if batch == 1 and single is not None:
        yield _refused(model, single, "each batch", Proposal(lambda: _larger_statistics(model, normalised)))
    elif batch < FEW:
        numbers = batch * min(elements(layer.out_shape) // layer.out_shape[0] for layer in normalised)
        images_each = "one image" if batch == 1 else f"{batch} images"
        yield RULE.found(
            model.place("train.batch"),
            f"batch normalisation over {images_each} computes its statistics from {numbers} numbers per channel",
            related=(Label(normalised[0].place(NORM), "normalised over the batch"),),
            help="use `norm=layer`, which does not depend on the batch, or a larger batch",
            fix=Proposal(lambda: _larger_statistics(model, normalised)),
            severity=None if numbers < FEW_NUMBERS else Severity.INFO,
            data={"batch": batch, "numbers": numbers},
        )
    elif single is not None and images is not None and images % batch == 1:
        fix = _other_batch(model, batch, images)
        yield _refused(model, single, f"the last batch of each epoch ({counted(images, 'image')})", fix)


def _larger_statistics(model: Autoencoder, normalised: list[Layer]) -> Iterator[Fix]:
    """Yield a normalisation that does not depend on the batch, then a larger batch, which keeps the network."""
    norm, batch = _other_norm(normalised), write_setting(model, "batch", "batch", str(USUAL))
    if norm is not None:
        yield norm
    if batch:
        yield Fix(f"use `batch {USUAL}`", batch, Applicability.UNSAFE)


def _refused(model: Autoencoder, layer: Layer, which: str, fix: Fix | Proposal | None) -> Finding:
    return RULE.found(
        model.place("train.batch"),
        f"{which} has one image, and batch normalisation cannot train on one number per channel",
        related=(Label(layer.place(NORM), f"{layer.kind.name} returns one number per channel"),),
        help="use another batch size, or `norm=layer` there",
        fix=fix,
        severity=Severity.ERROR,
    )


def _other_norm(layers: list[Layer]) -> Fix | None:
    written = {layer.span: layer for layer in layers if layer.mirrors is None}
    edits = sorted((write(layer, NORM, "norm=layer") for layer in written.values()), key=lambda edit: edit.span)
    return Fix("use norm=layer", tuple(edits), Applicability.UNSAFE) if edits else None


def _other_batch(model: Autoencoder, batch: int, images: int) -> Fix | None:
    better = next((size for size in range(batch - 1, 1, -1) if images % size != 1), None)
    edits = () if better is None else write_setting(model, "batch", "batch", str(better))
    return Fix(f"use batch {better}", edits, Applicability.UNSAFE) if edits else None
