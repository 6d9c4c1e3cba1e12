"""A model in numbers: what ``caedsl show`` prints, and the shape of its JSON."""

from collections import Counter
from dataclasses import dataclass

from caedsl.facts.code import code_bits, code_terms
from caedsl.facts.cost import total_macs, total_parameters, training_memory
from caedsl.facts.receptive_field import code_field, receptive_fields
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.spelling import line


@dataclass(frozen=True)
class LayerSummary:
    """One layer: ``name`` numbers the layers of its kind within ``part``; ``line`` is its line in the spec.

    ``receptive_field`` is the shorter side, in input pixels, of what one output sees.
    """

    part: str
    kind: str
    name: str
    spelling: str
    out_shape: Shape
    parameters: int
    macs: int
    receptive_field: int
    line: int


@dataclass(frozen=True)
class Summary:
    """Whole model; ``memory`` is the estimate for one training step, in bytes (of one image with ``batch auto``).

    ``code_bits`` is the size of a stored code, and ``code_terms`` what the code adds to the loss.
    """

    name: str
    input_shape: Shape
    target_shape: Shape
    code_shape: Shape
    code_bits: int
    code_terms: str
    bypass: dict[str, Shape]
    compression: float
    parameters: int
    macs: int
    receptive_field: int
    memory: int
    layers: tuple[LayerSummary, ...]
    train: Train | None


def summarise(model: Autoencoder) -> Summary:
    """Return the summary of a complete model."""
    return Summary(
        name=model.name,
        input_shape=model.input.shape,
        target_shape=model.target.shape,
        code_shape=model.code_shape,
        code_bits=code_bits(model),
        code_terms=code_terms(model),
        bypass=model.bypasses,
        compression=model.compression,
        parameters=total_parameters(model),
        macs=total_macs(model),
        receptive_field=min(code_field(model)),
        memory=training_memory(model),
        layers=_layers(model),
        train=model.train,
    )


def _layers(model: Autoencoder) -> tuple[LayerSummary, ...]:
    fields = receptive_fields(model)
    numbers: Counter[tuple[str, str]] = Counter()
    rows: list[LayerSummary] = []
    for part, layer in model.layers():
        if layer.kind.role is Role.GROUPING and layer.kind.block:
            continue
        numbers[part, layer.kind.name] += 1
        rows.append(
            LayerSummary(
                part=part,
                kind=layer.kind.name,
                name=f"{layer.kind.name}{numbers[part, layer.kind.name]}",
                spelling=line(layer),
                out_shape=layer.out_shape,
                parameters=layer.parameters,
                macs=layer.macs,
                receptive_field=min(fields[id(layer)]),
                line=_line(model, layer),
            )
        )
    return tuple(rows)


def _line(model: Autoencoder, layer: Layer) -> int:
    return model.source.position(layer.span.start).line
