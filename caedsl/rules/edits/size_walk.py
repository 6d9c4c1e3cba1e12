"""Shapes along a model with changed lines."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Shape

Changed = Mapping[Option, Any]
"""New values of options."""


class SizeChange(NamedTuple):
    """Change to a few lines of a spec.

    ``options`` are new options by line; ``copies`` are the options of every copy of a repeated line (``x2``), possibly
    more or fewer than before. ``added`` is an upsampling before the last layer, ``without`` are the removed lines.
    """

    title: str
    options: Mapping[Span, Changed] = {}
    copies: Mapping[Span, Sequence[Changed]] = {}
    added: str = ""
    without: frozenset[Span] = frozenset()

    @property
    def lines(self) -> int:
        """Number of lines of the text that the change affects."""
        return len(self.options) + len(self.copies) + bool(self.added) + len(self.without)


class Fits:
    """Shapes after layers; those of unchanged layers are computed once for all changes."""

    def __init__(self) -> None:
        self._known: dict[tuple[Layer, Shape], Shape | None] = {}

    def after(self, layer: Layer, changed: Changed, before: Shape) -> Shape | None:
        """Return the shape after a layer with changed options, or None if it does not fit."""
        key = (layer, before)
        if changed or key not in self._known:
            fit = layer.kind.fit_again(layer.options.changed(changed), before)
            shape = None if isinstance(fit, Misfit) else fit.out_shape
            if changed:
                return shape
            self._known[key] = shape
        return self._known[key]

    def follow(self, start: Shape, layers: Sequence[Layer], change: SizeChange) -> list[Shape] | None:
        """Return the shapes from ``start`` on after the change, or None if a layer no longer fits."""
        shapes = [start]
        for layer, changed in _changed(layers, change):
            after = self.after(layer, changed, shapes[-1])
            if after is None:
                return None
            shapes.append(after)
        return shapes


def _changed(layers: Sequence[Layer], change: SizeChange) -> Iterator[tuple[Layer, Changed]]:
    """Yield the remaining layers, each with its new options."""
    for span, group in groupby(layers, key=lambda layer: layer.span):
        if span in change.copies:
            first = next(group)
            yield from ((first, changed) for changed in change.copies[span])
        elif span not in change.without:
            yield from ((layer, change.options.get(span, {})) for layer in group)
