"""Inversion of layers: Lines that restore each layer's input, in reverse order, for mirrors and dense codes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile

from caedsl.resolve.mirroring.enlarging import enlarged
from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.resolve.outputs import output_name
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.code_kinds import PLACEABLE
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Draft, Role, Window, copied, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import BELONGS_TO, NONE, NORM, has
from caedsl.vocabulary.shape import Shape, elements
from caedsl.vocabulary.weights import BIAS


def undo(
    layers: Sequence[Layer],
    before: Activation,
    mirror_options: MirrorOptions,
    scope: Scope,
    output: Layer | None = None,
) -> tuple[Line, ...] | None:
    """Return the Lines that lead from the output of ``layers`` back to their input, or None if one has no inverse.

    Each Line takes the activation of the map that it restores; ``before`` is the activation of the first layer's input.
    The mirror of ``output`` restores the image: it takes the output activation of the options and no normalisation.
    """
    lighter = _lighter(layers, layers[0].in_shape, mirror_options, scope) if layers else ()
    return None if lighter is None else _undone(layers, lighter, before, mirror_options, output, scope)


def output_twin(layers: Sequence[Layer]) -> Layer | None:
    """Return the layer whose mirror restores the image: the first that changes values, if it has weights, else None.

    Normalisations of the input right before that layer have no part in the output, and the mirror omits them.
    """
    normalising = len(list(takewhile(_only_normalises, layers)))
    if normalising < len(layers) and layers[normalising].kind.role is Role.WEIGHTED:
        return layers[normalising]
    for layer in layers:
        if layer.kind.role is Role.GROUPING:
            return output_twin(layer.children)
        if not _passes(layer):
            return layer if layer.kind.role is Role.WEIGHTED else None
    return None


def ending_activation(layers: Sequence[Layer], before: Activation = LINEAR) -> Activation:
    """Return the activation of the map after these layers, or ``before`` if none of them determines it."""
    for layer in reversed(layers):
        for inner in reversed(list(layer.walk())):
            decides = not inner.children and not _passes(inner)
            if ACTIVATION in inner.options and (inner.activation != LINEAR or decides):
                return inner.activation
    return before


def _passes(layer: Layer) -> bool:
    """Return whether the layer and its twin pass values on: noise, zeros around a map, or another shape or order."""
    if layer.children or layer.activation != LINEAR or layer.norm is not None:
        return False
    return layer.kind.role is Role.RESHAPING or layer.kind.keeps_values or layer.kind.twin(layer) == ()


def _only_normalises(layer: Layer) -> bool:
    return _adjusts(layer) and layer.norm is not None and layer.activation == LINEAR


def _undone(
    layers: Sequence[Layer],
    lighter: Sequence[Layer],
    before: Activation,
    mirror_options: MirrorOptions,
    output: Layer | None,
    scope: Scope,
    before_run: str = "",
    after_run: Sequence[Layer] = (),
) -> tuple[Line, ...] | None:
    """Return the Lines that undo a run of layers, last first; ``after_run`` are the layers that follow the run.

    If the run begins with normalisations or activations on lines of their own, each such line belongs to the layer
    after it, and the mirror places it before the twin of that layer. Otherwise it belongs to the layer before it, and
    becomes an option of that layer's twin. Two kinds of twins cannot take it: after a residual it follows the twin, and
    after a layer without weights it comes before the twin, where the map is restored.
    """
    begins = bool(layers) and _adjusts(layers[0])
    lines: list[Line] = []
    for i in range(len(layers) - 1, -1, -1):
        if _adjusts(layers[i]):
            continue
        ahead = begins and layers[i] not in mirror_options.code
        kept = [layer for layer in layers[:i] if not (ahead and _adjusts(layer))]
        known = kept if ahead else _without_lines_of_their_own(kept)
        restored = mirror_options.output if layers[i] is output else ending_activation(known, before)
        adjusting = _adjusting_lines_of(layers, i, ahead, after_run)
        takes = layers[i].kind.role is Role.WEIGHTED and not ahead
        norm = next((layer for layer in adjusting if takes and layer.norm is not None), None)
        named = output_name(layers[i - 1]) if i else before_run
        following = (*layers[i + 1 :], *after_run)
        twins = _twins(
            layers[i], lighter[i], restored, _with_norm(mirror_options, norm), output, scope, named, following
        )
        if twins is None:
            return None
        if ahead and layers[i] is not output:
            twins = (*_repeated(adjusting, mirror_options), *twins)
        elif layers[i].kind.role is Role.SUMMING:
            twins = (*twins, *_repeated(adjusting, mirror_options, restored))
        elif not ahead and _keeps_lines_apart(layers[i]) and not all(map(_adjusts, following)):
            twins = (*_repeated(adjusting, mirror_options), *twins)
        lines += twins
        inner = output not in layers[i:] and layers[i].kind.role is not Role.GROUPING
        if mirror_options.skips and named and inner and layers[i].resizes:
            lines.append(Line(mirror_options.skips, written({FROM: named}), at=mirror_options.at, mirrors=layers[i]))
    return tuple(lines)


def _adjusts(layer: Layer) -> bool:
    """Return whether the line is only a normalisation or an activation."""
    return layer.kind.role is Role.ADJUSTING and not layer.kind.operation(layer)


def _keeps_lines_apart(layer: Layer) -> bool:
    """Return whether lines after the layer stay separate: its mirror has no weights and takes no options."""
    return layer.kind.role not in (Role.WEIGHTED, Role.SUMMING, Role.GROUPING)


def _without_lines_of_their_own(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Return the layers without the last lines, where these stay on lines of their own in the mirror."""
    end = len(layers) - len(list(takewhile(_adjusts, reversed(layers))))
    last = layers[end - 1] if end else None
    while last is not None and last.kind.role is Role.GROUPING:
        last = last.children[-1] if last.children else None
    return layers[:end] if last is not None and _keeps_lines_apart(last) else layers


def _adjusting_lines_of(layers: Sequence[Layer], i: int, ahead: bool, after_run: Sequence[Layer]) -> list[Layer]:
    """Return the normalisations and activations on their own lines right before layer ``i``, or right after it."""
    if not ahead:
        return list(takewhile(_adjusts, (*layers[i + 1 :], *after_run)))
    return list(reversed(list(takewhile(_adjusts, reversed(layers[:i])))))


def _with_norm(mirror_options: MirrorOptions, norm: Layer | None) -> MirrorOptions:
    if norm is None or norm.norm is None or mirror_options.norm is not None:
        return mirror_options
    options = {option.name: norm.options.of_any_type(option) for option in norm.kind.options}
    return mirror_options._replace(norm=norm.norm.name, norm_options=options)


def _repeated(
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
            kind, options = _on_its_own(restored)
        yield Line(kind, options, at=mirror_options.at, mirrors=layer)


def _on_its_own(activation: Activation) -> Draft:
    """Return an activation as a line of its own."""
    number = PLACEABLE[activation.name].options
    return Draft(activation.name, written({number[0]: activation.value}) if number else {})


def _twins(
    layer: Layer,
    light: Layer,
    restored: Activation,
    mirror_options: MirrorOptions,
    output: Layer | None,
    scope: Scope,
    before: str = "",
    after_run: Sequence[Layer] = (),
) -> tuple[Line, ...] | None:
    """Return the Lines that invert one layer.

    ``before`` is the name of the map that they restore, if it has one; ``light`` is the layer with the decoder's
    numbers of channels.
    """
    if layer.children:
        return _group(layer, light, restored, mirror_options, output, scope, before, after_run)
    drafts = layer.kind.twin(light)
    if drafts is None:
        scope.report(
            "no-mirror",
            layer.span,
            f"`decoder mirror` cannot invert this `{layer.kind.name}`",
            help="write an explicit decoder: `decoder { ... }`",
        )
        return None
    if layer.kind.window is Window.POOL:
        drafts = enlarged(light, mirror_options, scope)
        if drafts is None:
            return None
    if layer.kind.role is Role.WEIGHTED:
        # A vector has no channels: an activation that learns a number for each follows the reshape to the map.
        apart = len(drafts) > 1 and restored.function.learned(2) > restored.function.learned(1)
        first = _finished(drafts[0], LINEAR if apart else restored, mirror_options, layer is output)
        drafts = (first, *drafts[1:], *([_on_its_own(restored)] if apart else []))
    return tuple(Line(kind, options, at=mirror_options.at, mirrors=layer) for kind, options in drafts)


def _group(
    layer: Layer,
    light: Layer,
    restored: Activation,
    mirror_options: MirrorOptions,
    output: Layer | None,
    scope: Scope,
    before: str,
    after_run: Sequence[Layer],
) -> tuple[Line, ...] | None:
    if layer.kind.role is Role.SUMMING:
        before, after_run, mirror_options = "", (), mirror_options._replace(skips="")
    # The last layer inside a residual is added before any activation, as in the encoder.
    ending = LINEAR if layer.kind.role is Role.SUMMING else restored
    children = _undone(layer.children, light.children, ending, mirror_options, output, scope, before, after_run)
    if not children:
        return children
    options = copied(layer, *layer.kind.options)
    if layer.activation != LINEAR:
        options |= written({ACTIVATION: restored})
    if any(inner.span != layer.span for inner in layer.shortcut):
        # The author wrote an explicit shortcut; otherwise the projection of the mirror follows from its own shapes.
        lighter = _lighter(layer.shortcut, light.in_shape, mirror_options, scope)
        around = None if lighter is None else _undone(layer.shortcut, lighter, LINEAR, mirror_options, None, scope)
        if around is None:
            return None
        children = (*children, Line("shortcut", children=around, at=mirror_options.at, mirrors=layer))
    return (Line(layer.kind.name, options, children=children, at=mirror_options.at, mirrors=layer),)


def _finished(draft: Draft, activation: Activation, mirror_options: MirrorOptions, is_output: bool) -> Draft:
    """Return the draft with the activation and the normalisation of its position."""
    options = draft.options | written({ACTIVATION: activation})
    if is_output and mirror_options.channels is not None:
        options |= written({CHANNELS: mirror_options.channels})
    norm = "none" if is_output else mirror_options.norm or options[NORM.name]
    if norm != options[NORM.name]:
        # The bias depends on the normalisation and is chosen again; options of the old normalisation are removed.
        kept = {name: value for name, value in options.items() if name not in BELONGS_TO or has(norm, name)}
        options = kept | written({NORM: norm, BIAS: None}) | ({} if is_output else dict(mirror_options.norm_options))
    return Draft(draft.kind, options)


def _lighter(
    layers: Sequence[Layer], in_shape: Shape, mirror_options: MirrorOptions, scope: Scope
) -> tuple[Layer, ...] | None:
    """Return the layers with the shapes that ``channels=/N`` restores, or None if N does not divide them."""
    if mirror_options.divisor == 1:
        return tuple(layers)
    lighter: list[Layer] = []
    for layer in layers:
        children = _lighter(layer.children, in_shape, mirror_options, scope)
        out_shape = _out_shape(layer, in_shape, children, mirror_options, scope)
        if children is None or out_shape is None:
            return None
        lighter.append(replace(layer, in_shape=in_shape, out_shape=out_shape, children=children))
        in_shape = out_shape
    return tuple(lighter)


def _out_shape(
    layer: Layer, in_shape: Shape, children: tuple[Layer, ...] | None, mirror_options: MirrorOptions, scope: Scope
) -> Shape | None:
    if children:
        return children[-1].out_shape
    if CHANNELS in layer.options:
        return _divided(layer.out_shape, mirror_options, scope)
    if layer.kind.role is Role.WEIGHTED:
        return layer.out_shape  # the outputs of a dense layer are not channels
    share = Fraction(elements(in_shape), elements(layer.in_shape))
    return _scaled(layer.out_shape, share, mirror_options, scope)


def _divided(shape: Shape, mirror_options: MirrorOptions, scope: Scope) -> Shape | None:
    """Return the shape with its channels divided; a vector has none and stays the same."""
    return shape if len(shape) == 1 else _scaled(shape, Fraction(1, mirror_options.divisor), mirror_options, scope)


def _scaled(shape: Shape, share: Fraction, mirror_options: MirrorOptions, scope: Scope) -> Shape | None:
    channels = shape[0] * share
    if channels.denominator == 1:
        return (int(channels), *shape[1:])
    scope.report(
        "no-mirror",
        mirror_options.at,
        f"`channels=/{mirror_options.divisor}` does not divide the {shape[0]} channels that the decoder restores here",
        help="use a common divisor of all numbers of channels in the encoder",
    )
    return None
