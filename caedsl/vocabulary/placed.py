"""Placed layer, as layer kinds see it."""

from typing import Protocol

from caedsl.vocabulary.option import Options
from caedsl.vocabulary.shape import Shape


class PlacedLayer(Protocol):
    """Options of a layer and the shapes on both sides."""

    @property
    def options(self) -> Options:
        """Every option of the kind, with one number per axis."""
        ...

    @property
    def in_shape(self) -> Shape:
        """Shape of the input."""
        ...

    @property
    def out_shape(self) -> Shape:
        """Shape of the output."""
        ...
