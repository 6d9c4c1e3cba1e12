"""Normalisations and activations on lines of their own, and where a mirror repeats them."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.code_kinds import PLACEABLE
from caedsl.vocabulary.kind import Draft, Role, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.input_name import InputName
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import BELONGS_TO, NONE, NORM, has


def adjusts(layer: Layer) -> bool:
    """Return whether the line is only a normalisation or an activation."""
    return layer.kind.role is Role.ADJUSTING and not layer.kind.operation(layer)


def keeps_lines_apart(layer: Layer) -> bool:
    """Return whether lines after the layer stay separate: its mirror has no weights and takes no options."""
    return layer.kind.role not in (Role.WEIGHTED, Role.SUMMING, Role.GROUPING)


def without_input_names(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers without the lines ``as``, which compute nothing."""
    return tuple(layer for layer in layers if not isinstance(layer.kind, InputName))


def without_own_lines(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Return the layers without the last lines, where these stay on lines of their own in the mirror."""
    end = len(layers) - len(list(takewhile(adjusts, reversed(layers))))
    last = layers[end - 1] if end else None
    while last is not None and last.kind.role is Role.GROUPING:
        last = last.children[-1] if last.children else None
    return layers[:end] if last is not None and keeps_lines_apart(last) else layers


def own_lines_of(layers: Sequence[Layer], i: int, ahead: bool, after_run: Sequence[Layer]) -> list[Layer]:
    """Return the normalisations and activations on their own lines right before layer ``i``, or right after it."""
    if not ahead:
        return list(takewhile(adjusts, (*layers[i + 1 :], *after_run)))
    return list(reversed(list(takewhile(adjusts, reversed(layers[:i])))))


def as_own_line(activation: Activation) -> Draft:
    """Return an activation as a line of its own."""
    number = PLACEABLE[activation.name].options
    return Draft(activation.name, written({number[0]: activation.value}) if number else {})


def with_norm(mirror_options: MirrorOptions, line: Layer) -> MirrorOptions:
    """Return the options with the normalisation of a line, unless the mirror has one of its own."""
    if line.norm is None or mirror_options.norm is not None:
        return mirror_options
    options = {option.name: line.options.of_any_type(option) for option in line.kind.options}
    return mirror_options._replace(norm=line.norm.name, norm_options=options)


def repeated_lines(
    adjusting: Sequence[Layer], mirror_options: MirrorOptions, restored: Activation | None = None
) -> Iterator[Line]:
    """Yield the same normalisations and activations.

    The mirror's options may replace or remove a normalisation; ``restored``, if given, replaces an activation.
    """
    for layer in adjusting:
        draft = layer.kind.twin(layer)
        assert draft
        kind, options = draft[0].kind, dict(draft[0].options)
        if layer.norm is not None and mirror_options.norm is not None:
            if mirror_options.norm == NONE:
                continue
            kept = {
                name: value for name, value in options.items() if name in BELONGS_TO and has(mirror_options.norm, name)
            }
            options = kept | {NORM.name: mirror_options.norm}
        elif layer.norm is None and restored is not None:
            if restored == LINEAR:
                continue
            kind, options = as_own_line(restored)
        yield Line(kind, options, at=mirror_options.at, mirrors=layer)
