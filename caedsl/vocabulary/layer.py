"""A layer in its place: its kind, its options, and the shapes on both sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caedsl.source import Span
from caedsl.vocabulary.shape import Shape

if TYPE_CHECKING:
    from caedsl.vocabulary.kind import Kind


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of an autoencoder.

    ``options`` holds every option of the kind, defaults filled in. ``span`` is the line it comes from and ``spans`` the
    places of the options that are written there. ``children`` are the layers inside a group (``residual``, ``stage``) and
    ``shortcut`` those that fit a residual's input to its output where their shapes differ.
    ``mirrors`` is the encoder layer that a derived decoder layer undoes; its ``span`` is then the ``decoder`` line.
    """

    kind: "Kind"
    options: Mapping[str, Any]
    in_shape: Shape
    out_shape: Shape
    span: Span
    spans: Mapping[str, Span] = field(default_factory=dict)
    children: tuple["Layer", ...] = ()
    shortcut: tuple["Layer", ...] = ()
    mirrors: "Layer | None" = None

    def place(self, option: str) -> Span:
        """Where ``option`` is written, or the whole line where it is left to its default."""
        return self.spans.get(option, self.span)

    @property
    def label(self) -> str:
        """What a diagram or a table calls this layer: its kind, and the name of a stage."""
        return self.options.get("name") or self.kind.name

    def walk(self) -> Iterator["Layer"]:
        """The layers inside a group, its shortcut, and then the group itself: the order in which they compute."""
        for child in (*self.children, *self.shortcut):
            yield from child.walk()
        yield self
