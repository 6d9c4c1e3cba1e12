"""Placed layer: its kind, its options, and the shapes of its input and output."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TypeVar

from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.norms import Norm, norm_of
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.shape import Shape, is_map

Value = TypeVar("Value")

_MOST_FITS = 4096
"""Keep results for this many different layers."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of an autoencoder.

    ``options`` contains every option of the kind, with defaults filled in and one number per axis. ``span`` is its line
    and ``spans`` are the places of the options written there. ``children`` are the layers inside a group (``residual``,
    ``stage``), and ``shortcut`` those that fit a residual's input to its output. ``named`` is the name of its output,
    if it has one. ``source`` is the layer whose output it reads in addition to that of the layer before it; None for
    the network's input, and for a kind with a single input. ``followed_by`` is the activation on its own line after a
    layer without one; between them are only normalisations and changes of the shape. ``copies`` is how many times its
    line is placed in a row (``x3``); each copy is a layer of its own. ``mirrors`` is the encoder layer that a mirrored
    decoder layer inverts; its ``span`` is then the ``decoder`` line.
    """

    kind: Kind
    options: Options
    in_shape: Shape
    out_shape: Shape
    span: Span
    spans: Mapping[str, Span] = field(default_factory=dict)
    children: tuple["Layer", ...] = ()
    shortcut: tuple["Layer", ...] = ()
    mirrors: "Layer | None" = None
    named: str = ""
    source: "Layer | None" = None
    followed_by: Activation = LINEAR
    copies: int = 1

    def place(self, option: Option) -> Span:
        """Return where ``option`` is written, or the whole line if it is not written."""
        return self.spans.get(option.name, self.span)

    @property
    def label(self) -> str:
        """Name in a diagram or a table: the kind, or the name of a stage."""
        return self.kind.label(self.options)

    @cached_property
    def activation(self) -> Activation:
        """Activation of the line; linear for kinds without one."""
        return self.options.get(ACTIVATION, LINEAR)

    @cached_property
    def norm(self) -> Norm | None:
        """Normalisation of the line, if it has one."""
        return norm_of(self.options)

    @cached_property
    def parameters(self) -> int:
        """Number of learned parameters."""
        return _parameters(self)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return self.kind.macs(self)

    @property
    def resizes(self) -> bool:
        """Whether the layer turns a map into one of another size."""
        return is_map(self.in_shape) and is_map(self.out_shape) and self.in_shape[1:] != self.out_shape[1:]

    def walk(self) -> Iterator["Layer"]:
        """Yield the layers inside a group, its shortcut, and then the group itself, in the order of computation."""
        for child in (*self.children, *self.shortcut):
            yield from child.walk()
        yield self


def once_per_fit(compute: Callable[[Layer], Value]) -> Callable[[Layer], Value]:
    """Return ``compute`` with its result kept for all layers of the same kind, options and shapes.

    Many layers of a spec are equal, and so are most layers of its variants and of the texts that its fixes write.
    ``compute`` may read nothing else of a layer but the activation that follows it.
    """
    known: dict[object, Value] = {}

    @wraps(compute)
    def kept(layer: Layer) -> Value:
        fit = layer.kind, layer.options, layer.in_shape, layer.out_shape, layer.followed_by
        value = known.get(fit)
        if value is None:
            if len(known) >= _MOST_FITS:
                known.clear()
            value = known[fit] = compute(layer)  # not read again: another thread may have cleared it
        return value

    return kept


@once_per_fit
def _parameters(layer: Layer) -> int:
    return layer.kind.parameters(layer)
