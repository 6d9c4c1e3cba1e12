"""Inputs and targets do not match.

## What it does
Compares the proportions of the `target` line with those of the input. It warns if they differ; with an augmentation
that moves pixels, it is an error. It is also an error if one source of a `data` line has targets and another does not,
and no `target` line states what such a source must return; if `validation=` or `test=` names samples of a source with
targets, and `validation_target=` or `test_target=` does not name their targets.

## Why is this bad?
Positions in the input and the target then no longer correspond: rotating two images of different proportions by 10
degrees shows different parts of the scene. A source without targets would train an autoencoder instead of the intended
model.

## Example
```cae
input 1x28x28
target 1x28x56
encoder { conv 16 relu; conv 16 relu }
bottleneck conv 8
decoder { conv 16 relu; upsample 1x2; conv 1 sigmoid }
```

## Instead
```cae
input 1x28x28
target 1x56x56
encoder { conv 16 relu; conv 16 relu }
bottleneck conv 8
decoder { conv 16 relu; upsample 2; conv 1 sigmoid }
```

## How sure
The proportions are arithmetic. A network can learn to stretch images, so without augmentation it is only a warning.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.shape import text

RULE = Rule("CAE622", "unequal-pairs", Severity.WARNING, escalates=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the target, or at a source without targets next to one that has them."""
    sizes, wanted = model.input.shape[1:], model.target.shape[1:]
    if len({size * wanted[0] - other * sizes[0] for size, other in zip(sizes, wanted, strict=True)}) > 1:
        yield _proportions(model)
    named = [source for source in model.data if source.target is not None]
    if named and model.target is model.input:
        for source in model.data:
            if source.target is None:
                yield RULE.found(
                    source.span,
                    f"`{source.name}` has no targets, so it would train an autoencoder instead",
                    related=(Label(named[0].span, "this source has targets"),),
                    help="add `target=` to it, or remove this source",
                    severity=Severity.ERROR,
                    data={"source": source.name},
                )
    for source in model.data:
        for part in ("validation", "test"):
            yield from _incomplete_pairs(source, part)


def _incomplete_pairs(source: DataSource, part: str) -> Iterator[Finding]:
    """Yield the finding at a source that names samples of a part without their targets, or targets without samples."""
    samples, targets = getattr(source, part), getattr(source, f"{part}_target")
    if source.target is None and targets is not None:
        written, missing = f"{part}_target", "target"
    elif source.target is not None and source.kind.has_target_options and samples is not None and targets is None:
        written, missing = part, f"{part}_target"
    else:
        return
    yield RULE.found(
        source.span,
        f"`{written}=` needs `{missing}=`: the targets of the {'training' if missing == 'target' else part} samples "
        "are not named",
        help=f"add `{missing}=`, or remove `{written}=`",
        severity=Severity.ERROR,
        data={"source": source.name},
    )


def _proportions(model: Autoencoder) -> Finding:
    amounts = model.train.augment.amounts() if model.train is not None else {}
    moving = [name for name in amounts if AUGMENTATIONS[name].moves]
    sizes, wanted = text(model.input.shape[1:]), text(model.target.shape[1:])
    moved = f", so `augment {moving[0]}` does not transform both in the same way" if moving else ""
    return RULE.found(
        model.target.span,
        f"the target is {wanted}, but the input is {sizes}: the proportions differ{moved}",
        related=(Label(model.input.span, sizes),),
        help="give both the same proportions" + (", or remove the augmentation" if moving else ""),
        severity=Severity.ERROR if moving else None,
        data={"input": model.input.shape, "target": model.target.shape},
    )
