"""``residual``: layers whose input is added to their output."""

from fractions import Fraction

from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Kind, Line, Options, Reach
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.shape import Shape, is_map, text


class Residual(Kind):
    """Adds the input of its layers to their output; a 1x1 projection makes the shapes agree where they differ.

    An activation on the line itself (`residual relu { ... }`) follows the sum.
    """

    name = "residual"
    example = "residual { conv 32 relu; conv 32 }"
    block = True
    options = (ACTIVATION,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The input's: what the layers inside make of it is decided by them."""
        return in_shape

    def shortcut(self, in_shape: Shape, out_shape: Shape) -> tuple[Line, ...] | Misfit:
        """The lines that bring the input to the shape of the output; none where the shapes agree."""
        if in_shape == out_shape:
            return ()
        if len(in_shape) != len(out_shape):
            return self._no_way(in_shape, out_shape)
        if not is_map(out_shape):
            return (Line("dense", {"units": out_shape[0], "bias": False}),)
        project = {"channels": out_shape[0], "kernel": (1, 1), "bias": False}
        if in_shape[1:] == out_shape[1:]:
            return (Line("conv", project),)
        if all(o >= i for i, o in zip(in_shape[1:], out_shape[1:], strict=True)):
            enlarge = Line("upsample", {"to": out_shape[1:]})
            return (enlarge,) if in_shape[0] == out_shape[0] else (Line("conv", project), enlarge)
        stride = tuple(-(-i // o) for i, o in zip(in_shape[1:], out_shape[1:], strict=True))
        if all(-(-i // s) == o for i, o, s in zip(in_shape[1:], out_shape[1:], stride, strict=True)):
            return (Line("conv", {**project, "stride": stride}),)
        return self._no_way(in_shape, out_shape)

    def _no_way(self, in_shape: Shape, out_shape: Shape) -> Misfit:
        return Misfit(
            "residual-mismatch",
            f"the layers of this residual turn {text(in_shape)} into {text(out_shape)}, and no 1x1 projection can follow",
            help="keep the size inside the residual, or shrink it by `conv ... s2`, whose size a strided 1x1 projection "
            "shares (odd sizes rounded up)",
        )

    def parameters(self, layer: Layer) -> int:
        """Those of the activation after the sum; the layers inside count their own."""
        return self._finish_parameters(layer)

    def reach(self, layer: Layer) -> tuple[Reach, Reach] | None:
        """That of the layers inside, taken together."""
        extents, strides = [1, 1], [Fraction(1), Fraction(1)]
        for child in layer.children:
            steps = child.kind.reach(child)
            if steps is None:
                return None
            for i, step in enumerate(steps):
                extents[i] += int((step.extent - 1) * strides[i])
                strides[i] *= step.stride
        return Reach(extents[0], strides[0]), Reach(extents[1], strides[1])

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """A module that adds the two branches, which the backend gives it."""
        return (call("Residual"),)
