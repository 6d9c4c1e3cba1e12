"""Batch normalisation over so few images that it is noise, or cannot be computed.

## What it does
Warns of `norm=batch` with batches of fewer than 4 images where they give some channel fewer than 32 numbers, height and
width counted in, and informs where they give more. It is an error where a normalised layer returns one number a
channel and a batch of the run has one image: either all of them, or the last of each epoch, where the number of images
is known.

## Why is this bad?
The mean and the deviation of each channel are taken over the batch. Over two or three images they are noise, which
disturbs training and differs from what is used afterwards. Over a single number the deviation is 0, and PyTorch
refuses to train. On digits, batches of 1, 2 and 4 over maps of 2x2 (4, 8 and 16 numbers a channel) left 2.4, 2.1 and
1.5 times as much of the variance as batches of 32; over maps of 8x8 batches of 1 and 2 did no harm.

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
That one number has no deviation is arithmetic; that fewer than 4 images or 32 numbers are too few is a heuristic.

## References
- Ioffe and Szegedy 2015, "Batch normalization", arXiv 1502.03167.
- Wu and He 2018, "Group normalization", arXiv 1803.08494: the error of batch normalisation grows below 8 images.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Proposal, Severity
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE705", "small-batch-norm", Severity.WARNING)

USUAL = 32
"""The batch that a fix writes."""

FEW, FEW_NUMBERS = 4, 32
"""Images a batch, and numbers a channel in it, below which a batch is taken for noise (heuristics)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the batch."""
    normalised = [layer for _, layer in model.layers() if layer.norm and layer.norm.over_batch]
    if model.train is None or not normalised or isinstance(model.train.batch, str):
        return
    batch, images = model.train.batch, training_images(model)
    single = next((layer for layer in normalised if elements(layer.out_shape) == layer.out_shape[0]), None)
    if batch == 1 and single is not None:
        yield _refused(model, single, "each batch", _other_norm(normalised))
    elif batch < FEW:
        numbers = batch * min(elements(layer.out_shape) // layer.out_shape[0] for layer in normalised)
        images_each = "one image" if batch == 1 else f"{batch} images"
        yield RULE.found(
            model.place("train.batch"),
            f"batch normalisation over {images_each} takes its statistics from {numbers} numbers a channel",
            related=(Label(normalised[0].place(NORM), "normalised over the batch"),),
            help="use `norm=layer`, which does not depend on the batch, or a larger batch",
            fix=Proposal(lambda: _larger_statistics(model, normalised)),
            severity=None if numbers < FEW_NUMBERS else Severity.INFO,
            data={"batch": batch, "numbers": numbers},
        )
    elif single is not None and images is not None and images % batch == 1:
        fix = _other_batch(model, batch, images)
        yield _refused(model, single, f"the last batch of each epoch ({images:,} images)", fix)


def _larger_statistics(model: Autoencoder, normalised: list[Layer]) -> Iterator[Fix]:
    """Yield a normalisation without the batch, then a larger batch, which leaves the network as it is."""
    norm, batch = _other_norm(normalised), write_setting(model, "batch", "batch", str(USUAL))
    if norm is not None:
        yield norm
    if batch:
        yield Fix(f"use `batch {USUAL}`", batch, Applicability.UNSAFE)


def _refused(model: Autoencoder, layer: Layer, which: str, fix: Fix | None) -> Finding:
    return RULE.found(
        model.place("train.batch"),
        f"{which} has one image, and batch normalisation cannot be trained on one number a channel",
        related=(Label(layer.place(NORM), f"{layer.kind.name} returns one number a channel"),),
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
