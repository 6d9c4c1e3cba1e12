"""``unpool``: the numbers of a map at the positions of the maxima that a ``maxpool`` found."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.joining import FROM, OTHER, Join
from caedsl.vocabulary.kind import Draft, written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.maxpool import MaxPool
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, LayerOption, Option, Options, Type
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.pooling import CEIL, POOL_PAD
from caedsl.vocabulary.shape import Shape, Sizes, joined, rank, text
from caedsl.vocabulary.window import KERNEL, STRIDE, Reads


class Pooled(NamedTuple):
    """Pool: its window, and the sizes of its input."""

    kernel: Sizes
    stride: Sizes
    pad: Sizes
    ceil: bool
    sizes: Sizes


POOLED: LayerOption[Pooled] = LayerOption("pooled", Type.SHAPE, REQUIRED, "the pool to invert")
"""Value that placing adds: no line sets it."""


class Unpool(Join):
    """Returns each number to the position where the `maxpool` with that name had its maximum; the others are 0.

    The output has the size of the pool's input, including odd sizes.
    """

    name = "unpool"
    ranks = (1, 2, 3)
    verb = "undoes a pool of"
    reads_values = False
    with_a_number = "upsample"
    example = "unpool p1"

    def source(self, name: str, output: Layer | None, shape: Shape) -> Mapping[str, Any] | Misfit:
        """Return the window and the sizes of the pool, or a misfit if the name belongs to another layer."""
        if output is None or not isinstance(output.kind, MaxPool):
            what = "the network's input" if output is None else f"the output of `{output.kind.name}`"
            return Misfit(
                "wrong-type",
                f"`unpool {name}` needs the positions of maxima, but `{name}` is {what}",
                help="name a pool, `maxpool 2 as p1`, and write `unpool p1`",
                option=FROM.name,
            )
        window = output.options
        pooled = Pooled(window[KERNEL], window[STRIDE], window[POOL_PAD], window[CEIL], output.in_shape[1:])
        return written({OTHER: shape, POOLED: pooled})

    def kept(self, options: Options) -> str:
        """Return the name of the positions."""
        return f"{options[FROM]}.places"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the channels with the sizes of the pool's input."""
        other = options[OTHER]
        if in_shape == other:
            return (in_shape[0], *options[POOLED].sizes)
        return Misfit(
            "sizes-do-not-meet",
            f"`unpool {options[FROM]}` inverts a pool that returned {text(other)}, but its input is {text(in_shape)}",
            help=f"change the size before it to {text(other)} first: "
            + ("give the layer before it that many channels" if in_shape[1:] == other[1:] else "its sizes differ"),
            option=FROM.name,
        )

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the size of the pool's input."""
        return f"the size before `{layer.options[FROM]}`: {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the numbers that may be placed at a position: those whose windows contain it."""
        pool = layer.options[POOLED]
        return tuple(map(_reads, layer.in_shape[1:], pool.kernel, pool.stride, pool.pad))

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return the pool."""
        pool = layer.options[POOLED]
        window: dict[Option, Any] = {KERNEL: pool.kernel, STRIDE: pool.stride, POOL_PAD: pool.pad, CEIL: pool.ceil}
        return (Draft(MaxPool.name, written(window)),)

    def keeping(self, options: Options) -> Call:
        """Return the pool that also returns the positions."""
        pool = options[POOLED]
        more = {"ceil_mode": True} if pool.ceil else {}
        return call(f"max_pool{len(pool.sizes)}d", **_window(pool), **more, return_indices=True)

    def joining(self, layer: PlacedLayer) -> Call:
        """Return the function that places the numbers, with the size if it is not the smallest that fits."""
        pool = layer.options[POOLED]
        usual = tuple(
            (size - 1) * stride - 2 * pad + kernel
            for size, kernel, stride, pad in zip(layer.in_shape[1:], pool.kernel, pool.stride, pool.pad, strict=True)
        )
        size = {} if usual == pool.sizes else {"output_size": pool.sizes}
        return call(f"max_unpool{rank(layer.in_shape)}d", **_window(pool), **size)


def _window(pool: Pooled) -> dict[str, Any]:
    pad = {"padding": joined(pool.pad)} if any(pool.pad) else {}
    return {"kernel_size": joined(pool.kernel), "stride": joined(pool.stride), **pad}


def _reads(size: int, kernel: int, stride: int, pad: int) -> Reads:
    def read(place: int) -> tuple[int, int]:
        return max(0, -((kernel - 1 - place - pad) // stride)), min(size - 1, (place + pad) // stride)

    return read
