"""Inversion of layers: Lines that restore each layer's input, in reverse order, for mirrors and dense codes."""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

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
    without_input_names,
    without_own_lines,
)
from caedsl.resolve.outputs import output_name
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kernel_options import BIAS
from caedsl.vocabulary.kind import Draft, Role, Window, copied, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import BELONGS_TO, NORM, has


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
    return None if lighter is None else _Inversion(mirror_options, output, scope).undo(_Run(layers, lighter, before))


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


class _Run(NamedTuple):
    """Run of layers to invert: a whole sequence, or the layers inside a group.

    ``lighter`` are the layers with the decoder's numbers of channels. ``before`` is the activation of the first layer's
    input, and ``name_before`` its name, if it has one. ``after`` are the layers that follow the run.
    """

    layers: Sequence[Layer]
    lighter: Sequence[Layer]
    before: Activation
    name_before: str = ""
    after: Sequence[Layer] = ()

    def input_name(self, place: int) -> str:
        """Return the name of the input of a layer, which the layer's inverse restores, or an empty text."""
        return output_name(self.layers[place - 1]) if place else self.name_before

    def following(self, place: int) -> tuple[Layer, ...]:
        """Return all layers after one."""
        return (*self.layers[place + 1 :], *self.after)


class _Inversion(NamedTuple):
    """Inversion with the options of one mirror; the twin of ``output`` restores the image."""

    options: MirrorOptions
    output: Layer | None
    scope: Scope

    def undo(self, run: _Run) -> tuple[Line, ...] | None:
        """Return the Lines that undo a run of layers, last first.

        If the run begins with normalisations or activations on lines of their own, each such line belongs to the layer
        after it, and the mirror places it before the twin of that layer. Otherwise it belongs to the layer before it,
        and becomes an option of that layer's twin. Two kinds of twins cannot take it: after a residual it follows the
        twin, and after a layer without weights it comes before the twin, where the map is restored.
        """
        lines: list[Line] = []
        for place in reversed(range(len(run.layers))):
            if adjusts(run.layers[place]):
                continue
            undone = self._undo_layer(run, place)
            if undone is None:
                return None
            lines += undone
        return tuple(lines)

    def _undo_layer(self, run: _Run, place: int) -> tuple[Line, ...] | None:
        """Return the Lines that undo one layer and its own lines, and read the skip connection to its input."""
        layer, role = run.layers[place], run.layers[place].kind.role
        ahead = adjusts(run.layers[0]) and layer not in self.options.code
        own = own_lines_of(run.layers, place, ahead, run.after)
        restored = self._restored(run, place, ahead)
        normalising = [line for line in own if line.norm is not None] if role is Role.WEIGHTED and not ahead else []
        finishing = self._replace(options=with_norm(self.options, normalising[0])) if normalising else self
        lines = finishing._twins(run, place, restored)
        if lines is None:
            return None
        if ahead and layer is not self.output:
            lines = (*repeated_lines(own, self.options), *lines)
        elif role is Role.SUMMING:
            lines = (*lines, *repeated_lines(own, self.options, restored))
        elif not ahead and keeps_lines_apart(layer) and not all(map(adjusts, run.following(place))):
            lines = (*repeated_lines(own, self.options), *lines)
        name = run.input_name(place)
        inner = self.output not in run.layers[place:] and role is not Role.GROUPING
        if self.options.skips and name and inner and layer.resizes:
            skip = Line(self.options.skips, written({FROM: name}), at=self.options.at, mirrors=layer)
            lines = (*lines, skip)
        return lines

    def _restored(self, run: _Run, place: int, ahead: bool) -> Activation:
        """Return the activation of a layer's input; lines ``ahead`` of the layers that they belong to do not count."""
        if run.layers[place] is self.output:
            return self.options.output
        earlier = run.layers[:place]
        known = [layer for layer in earlier if not adjusts(layer)] if ahead else without_own_lines(earlier)
        return ending_activation(known, run.before)

    def _twins(self, run: _Run, place: int, restored: Activation) -> tuple[Line, ...] | None:
        """Return the Lines that invert one layer of a run."""
        layer, light = run.layers[place], run.lighter[place]
        if layer.children:
            return self._group(run, place, restored)
        drafts = layer.kind.twin(light)
        if drafts is None:
            self.scope.report(
                "no-mirror",
                layer.span,
                f"`decoder mirror` cannot invert this `{layer.kind.name}`",
                help="write an explicit decoder: `decoder { ... }`",
            )
            return None
        if layer.kind.window is Window.POOL:
            drafts = enlarged(light, self.options, self.scope)
            if drafts is None:
                return None
        if layer.kind.role is Role.WEIGHTED:
            # A vector has no channels: an activation that learns a number for each follows the reshape to the map.
            apart = len(drafts) > 1 and restored.function.learned(2) > restored.function.learned(1)
            first = _finished(drafts[0], LINEAR if apart else restored, self.options, layer is self.output)
            drafts = (first, *drafts[1:], *([as_own_line(restored)] if apart else []))
        return tuple(Line(kind, options, at=self.options.at, mirrors=layer) for kind, options in drafts)

    def _group(self, run: _Run, place: int, restored: Activation) -> tuple[Line, ...] | None:
        """Return the inverse of a group, and of its shortcut if the author wrote one."""
        layer, light = run.layers[place], run.lighter[place]
        own, lighter = without_input_names(layer.children), without_input_names(light.children)
        if layer.kind.role is Role.SUMMING:
            # The last layer inside a residual is added before any activation, as in the encoder.
            inversion = self._replace(options=self.options._replace(skips=""))
            children = inversion.undo(_Run(own, lighter, LINEAR))
        else:
            inside = _Run(own, lighter, restored, run.input_name(place), run.following(place))
            inversion, children = self, self.undo(inside)
        if not children:
            return children
        options = copied(layer, *layer.kind.options)
        if layer.activation != LINEAR:
            options |= written({ACTIVATION: restored})
        if any(inner.span != layer.span for inner in layer.shortcut):
            # Without a shortcut of the author's, the projection of the mirror follows from its own shapes.
            beside = without_input_names(layer.shortcut)
            lighter_beside = lighter_layers(beside, light.in_shape, inversion.options, self.scope)
            shortcut = None if lighter_beside is None else _Run(beside, lighter_beside, LINEAR)
            around = None if shortcut is None else inversion._replace(output=None).undo(shortcut)
            if around is None:
                return None
            children = (*children, Line("shortcut", children=around, at=self.options.at, mirrors=layer))
        return (Line(layer.kind.name, options, children=children, at=self.options.at, mirrors=layer),)


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
