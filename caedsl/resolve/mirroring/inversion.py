"""Inversion of layers: Lines that restore each layer's input, in reverse order, for mirrors and dense codes."""

from collections.abc import Sequence
from itertools import takewhile

from caedsl.resolve.mirroring.enlarging import enlarged
from caedsl.resolve.mirroring.lighter_layers import lighter_layers
from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.resolve.mirroring.own_lines import (
    adjusts,
    as_own_line,
    keeps_lines_apart,
    own_lines_of,
    repeated_lines,
    with_norm,
    without_own_lines,
)
from caedsl.resolve.outputs import output_name
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kind import Draft, Role, Window, copied, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import BELONGS_TO, NORM, has
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
    lighter = lighter_layers(layers, layers[0].in_shape, mirror_options, scope) if layers else ()
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
    return adjusts(layer) and layer.norm is not None and layer.activation == LINEAR


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
    begins = bool(layers) and adjusts(layers[0])
    lines: list[Line] = []
    for i in range(len(layers) - 1, -1, -1):
        if adjusts(layers[i]):
            continue
        ahead = begins and layers[i] not in mirror_options.code
        kept = [layer for layer in layers[:i] if not (ahead and adjusts(layer))]
        known = kept if ahead else without_own_lines(kept)
        restored = mirror_options.output if layers[i] is output else ending_activation(known, before)
        adjusting = own_lines_of(layers, i, ahead, after_run)
        takes = layers[i].kind.role is Role.WEIGHTED and not ahead
        norm = next((layer for layer in adjusting if takes and layer.norm is not None), None)
        named = output_name(layers[i - 1]) if i else before_run
        following = (*layers[i + 1 :], *after_run)
        twins = _twins(
            layers[i], lighter[i], restored, with_norm(mirror_options, norm), output, scope, named, following
        )
        if twins is None:
            return None
        if ahead and layers[i] is not output:
            twins = (*repeated_lines(adjusting, mirror_options), *twins)
        elif layers[i].kind.role is Role.SUMMING:
            twins = (*twins, *repeated_lines(adjusting, mirror_options, restored))
        elif not ahead and keeps_lines_apart(layers[i]) and not all(map(adjusts, following)):
            twins = (*repeated_lines(adjusting, mirror_options), *twins)
        lines += twins
        inner = output not in layers[i:] and layers[i].kind.role is not Role.GROUPING
        if mirror_options.skips and named and inner and layers[i].resizes:
            lines.append(Line(mirror_options.skips, written({FROM: named}), at=mirror_options.at, mirrors=layers[i]))
    return tuple(lines)


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
        drafts = (first, *drafts[1:], *([as_own_line(restored)] if apart else []))
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
        lighter = lighter_layers(layer.shortcut, light.in_shape, mirror_options, scope)
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
