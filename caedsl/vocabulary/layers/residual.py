"""``residual``: layers whose input is added to their output."""

from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, is_map, text


class Residual(Kind):
    """Adds the input of its layers to their output; a projection with kernel 1 follows where the shapes differ.

    `shortcut { ... }` inside it says what the input passes instead: `shortcut { conv 64 k1 s2 norm=batch }`.
    An activation on the line itself (`residual relu { ... }`) follows the sum.
    """

    name = "residual"
    role = Role.SUMMING
    example = "residual { conv 32 relu; conv 32 }"
    block = True
    options = (ACTIVATION,)

    def shortcut(self, in_shape: Shape, out_shape: Shape) -> tuple[Draft, ...] | Misfit:
        """Return the lines that bring the input to the shape of the output; none where the shapes agree."""
        if in_shape == out_shape:
            return ()
        if len(in_shape) != len(out_shape):
            return self._no_way(in_shape, out_shape)
        if not is_map(out_shape):
            return (Draft("dense", {"units": out_shape[0], "bias": False}),)
        project = {"channels": out_shape[0], "kernel": (1,), "bias": False}
        sizes = list(zip(in_shape[1:], out_shape[1:], strict=True))
        if in_shape[1:] == out_shape[1:]:
            return (Draft("conv", project),)
        if all(after >= before for before, after in sizes):
            enlarge = Draft("upsample", {"to": out_shape[1:]})
            return (enlarge,) if in_shape[0] == out_shape[0] else (Draft("conv", project), enlarge)
        stride = tuple(-(-before // after) for before, after in sizes)
        if all(-(-before // step) == after for (before, after), step in zip(sizes, stride, strict=True)):
            return (Draft("conv", {**project, "stride": stride}),)
        return self._no_way(in_shape, out_shape)

    def unequal(self, body: Shape, shortcut: Shape) -> Misfit:
        """Return why a shortcut of the author does not fit the layers that it goes around."""
        return Misfit(
            "residual-mismatch",
            f"the layers of this residual return {text(body)}, and its shortcut returns {text(shortcut)}",
            help="give both ways the same channels and strides, or leave the shortcut out",
        )

    def _no_way(self, in_shape: Shape, out_shape: Shape) -> Misfit:
        return Misfit(
            "residual-mismatch",
            f"the layers of this residual turn {text(in_shape)} into {text(out_shape)}, "
            "and no 1x1 projection can follow",
            help="keep the size inside the residual, or shrink it by `conv ... s2`, whose size a strided 1x1 "
            "projection shares (odd sizes rounded up)",
        )

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return a module that adds the two branches, which the backend gives it."""
        return (call("Residual"),)
