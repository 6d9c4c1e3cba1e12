"""A layer returns its input as it is.

## What it does
Looks for lines that change neither a value nor a shape: `maxpool 1`, `avgpool 1`, `pad 0`, `crop 0`, `upsample 1`,
`dropout 0`, and a `reshape` or an `upsample to` the shape that the map already has. A line that takes its number from a
constant or a block's parameter is left alone, because another value may have an effect.

## Why is this bad?
A reader would expect an effect: after `maxpool 1` a map is as large as before.

## Example
```cae
encoder { conv 16 relu; maxpool 1; conv 32 s2 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2; conv 32 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## How sure
Certain.
"""

from collections.abc import Iterator

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import words
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.syntax.tree import Spec, WrittenOption, WrittenWord
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import text

RULE = Rule("CAE226", "layer-without-effect", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line whose layers all return their input."""
    lines: dict[Span, list[Layer]] = {}
    for _, layer in model.layers():
        if layer.mirrors is None:
            lines.setdefault(layer.span, []).append(layer)
    idle = {span: layers[0] for span, layers in lines.items() if all(map(_has_no_effect, layers))}
    fixed = _without_names(compiled(model.source.text, model.source.path).spec) if idle else set()
    for span, layer in idle.items():
        if span in fixed:
            yield RULE.found(
                span,
                f"`{model.source.slice(span)}` has no effect: it returns its input of {text(layer.in_shape)} as it is",
                help="choose another number, or remove the line",
                fix=Fix("remove the line", (removal(model.source.text, span),), Applicability.SAFE),
                data={"shape": layer.in_shape},
            )


def _has_no_effect(layer: Layer) -> bool:
    return layer.kind.has_no_effect(layer)


def _without_names(spec: Spec) -> set[Span]:
    """Return the places of the statements that name no constant and no parameter of a block."""
    names = set()
    for statement in spec.statements:
        for item in statement.items if statement.head.text in ("let", "block") else ():
            match item:
                case WrittenWord(text=name) | WrittenOption(name=WrittenWord(text=name)):
                    names.add(name)
    statements = (statement for top in spec.statements for statement in top.walk())
    return {
        statement.span
        for statement in statements
        if not any(word.text in names for item in statement.items for word in words(item))
    }
