"""Base of ``concat``, ``add``, ``multiply``, ``unpool`` and ``from``: layers that read a named output."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from caedsl.vocabulary.call import Call
from caedsl.vocabulary.kind import Kind, Role, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, LayerOption, Option, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, is_map, text

FROM: LayerOption[str] = LayerOption("output", Type.NAME, REQUIRED, "the output to read", Written.FIRST)
OTHER: LayerOption[Shape] = LayerOption("other", Type.SHAPE, REQUIRED, "shape of that output")
"""Value that placing adds: no line sets it."""
INPUT = "input"
"""Name by which lines read the input of the network."""


class Joining(Enum):
    """Way of joining the map with a kept one that needs no function with arguments of its own."""

    BEHIND = "the channels of the kept map after its own"
    IN_FRONT = "the channels of the kept map before its own"
    SUM = "the sum of both"
    PRODUCT = "the product of both"
    INSTEAD = "the kept map alone"


class Join(Kind):
    """Base of these kinds."""

    role = Role.JOINING
    options: ClassVar[tuple[Option, ...]] = (FROM,)
    verb: ClassVar[str]
    reads_values: ClassVar[bool] = True
    """Whether the values of the named output are used, and not only positions in it."""
    with_a_number: ClassVar[str] = ""
    """Kind that is meant if a number is written instead of a name."""

    def source(self, name: str, output: Layer | None, shape: Shape) -> Mapping[str, Any] | Misfit:
        """Return what placing adds to the options for an output of ``shape``, or why it cannot be read.

        ``output`` is its layer, or None for the network's input.
        """
        return written({OTHER: shape})

    def kept(self, options: Options) -> str:
        """Return the name under which the network stores what is read."""
        return options[FROM]

    def keeping(self, options: Options) -> Call | None:
        """Return the function of the named layer's input that returns what is stored, or None for its output."""
        return None

    def joining(self, layer: PlacedLayer) -> Call | Joining:
        """Return the function of the map and the stored value, or the way of joining."""
        raise NotImplementedError

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return nothing: ``forward`` is written out and joins the two."""
        return ()

    def unequal(self, options: Options, in_shape: Shape) -> Misfit:
        """Return why the two shapes do not match."""
        name, other = options[FROM], options[OTHER]
        if is_map(in_shape) != is_map(other):
            help_line = "make both a map or both a vector: `globalpool` and `dense` make a vector, `reshape` a map"
        elif in_shape[1:] != other[1:]:
            help_line = f"change the size before it to {text((in_shape[0], *other[1:]))} first, as with "
            help_line += f"`upsample to {text(other[1:])}`, or read an output of its size"
        else:
            unit = "channels" if is_map(other) else "numbers"
            help_line = f"give the layer before it {other[0]} {unit}, or use `concat {name}`"
        return Misfit(
            "sizes-do-not-meet",
            f"`{self.name} {name}` {self.verb} {text(in_shape)} and `{name}`, which is {text(other)}",
            help=help_line,
            option=FROM.name,
        )
