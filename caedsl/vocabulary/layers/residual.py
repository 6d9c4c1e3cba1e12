"""``residual``: layers whose input is added to their output."""

from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, is_map, text


class Residual(Kind):
    """Adds the input of its layers to their output; if the shapes differ, a projection with kernel 1 is added.

    `shortcut { ... }` inside it replaces the projection: `shortcut { conv 64 k1 s2 norm=batch }`. An activation on the
    line itself (`residual relu { ... }`) follows the sum.
    """

    name = "residual"
    role = Role.SUMMING
    example = "residual { conv 32 relu; conv 32 }"
    block = True
    options = (ACTIVATION,)

    def shortcut(self, in_shape: Shape, out_shape: Shape) -> tuple[Draft, ...] | Misfit:
        """Return the lines that project the input to the shape of the output; none if the shapes are equal."""
        if in_shape == out_shape:
            return ()
        if len(in_shape) != len(out_shape):
            return self._no_projection(in_shape, out_shape)
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
        return self._no_projection(in_shape, out_shape)

    def unequal(self, body: Shape, shortcut: Shape) -> Misfit:
        """Return why an explicit shortcut does not fit the layers of the residual."""
        return Misfit(
            "residual-mismatch",
            f"the layers of this residual return {text(body)}, but its shortcut returns {text(shortcut)}",
            help="give both the same channels and strides, or remove the shortcut",
        )

    def _no_projection(self, in_shape: Shape, out_shape: Shape) -> Misfit:
        return Misfit(
            "residual-mismatch",
            f"the layers of this residual turn {text(in_shape)} into {text(out_shape)}, which no 1x1 projection can do",
            help="keep the size inside the residual, or reduce it with `conv ... s2`, which rounds odd sizes up like "
            "the projection",
        )

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return a module that adds the two branches, which the backend passes to it."""
        return (call("Residual"),)
