"""Inputs and targets of pairs do not go together.

## What it does
Compares the proportions of the `target` line with those of the input. It warns where they differ, and is an error where
augmentation moves pixels too. It is also an error where one source of a `data` line names targets and another does not,
without a `target` line that says what such a source must return.

## Why is this bad?
A place of the input then is no place of the target: a quarter turn, or a rotation by 10 degrees, of an image of other
proportions shows another part of the scene. A source without targets would train an autoencoder in the place of what
was asked for.

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
The proportions are arithmetic; a network can learn to stretch images, so that without augmentation it is a warning.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.shape import text

RULE = Rule("CAE622", "unequal-pairs", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the target, or at a source without targets beside one that has them."""
    sizes, wanted = model.input.shape[1:], model.target.shape[1:]
    if len({size * wanted[0] - other * sizes[0] for size, other in zip(sizes, wanted, strict=True)}) > 1:
        yield _proportions(model)
    named = [source for source in model.data if source.target is not None]
    if named and model.target is model.input:
        for source in model.data:
            if source.target is None:
                yield RULE.found(
                    source.span,
                    f"`{source.name}` names no targets, and would train an autoencoder instead",
                    related=(Label(named[0].span, "this source has targets"),),
                    help="add `target=` to it, or leave it out",
                    severity=Severity.ERROR,
                    data={"source": source.name},
                )


def _proportions(model: Autoencoder) -> Finding:
    amounts = model.train.augment.amounts() if model.train is not None else {}
    moving = [name for name in amounts if AUGMENTATIONS[name].moves]
    sizes, wanted = text(model.input.shape[1:]), text(model.target.shape[1:])
    moved = f", so that `augment {moving[0]}` does not move both alike" if moving else ""
    return RULE.found(
        model.target.span,
        f"the target is {wanted}, and the input {sizes}: the proportions differ{moved}",
        related=(Label(model.input.span, sizes),),
        help="give both the same proportions" + (", or leave the augmentation out" if moving else ""),
        severity=Severity.ERROR if moving else None,
        data={"input": model.input.shape, "target": model.target.shape},
    )
