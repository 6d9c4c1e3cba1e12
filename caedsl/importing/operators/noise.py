"""Random numbers in a graph: the draw of a variational code, and added noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.network import Array, ForeignLayer
from caedsl.importing.operators.graph import RANDOM, SPLITS, AtenGraph, AtenNode, Ref
from caedsl.importing.operators.translation import Translation
from caedsl.importing.windows import is_pointwise
from caedsl.vocabulary.bottlenecks.variational import Variational, VariationalConv
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.form import NOISE
from caedsl.vocabulary.layers.dense import UNITS, Dense
from caedsl.vocabulary.layers.reshape import Reshape

_PASSING = ("to", "_to_copy", "contiguous", "clone", "detach", "expand", "lift_fresh_copy")


@dataclass(frozen=True)
class Draw:
    """Sum of ``centre`` and noise whose deviation is a number, or exp(``factor`` · ``logarithm``)."""

    centre: Ref
    logarithm: Ref | None
    factor: float
    inside: frozenset[str]
    """Names of the nodes that compute the noise."""


class _NoDraw(Exception):
    """Node that is not a sum with noise."""


def draws_of(graph: AtenGraph) -> dict[str, Draw]:
    """Return the draws of a graph by the name of the sum."""
    made = {name: node for node in graph.nodes for name in node.outputs}
    found: dict[str, Draw] = {}
    for node in graph.nodes:
        if node.base == "add":
            for centre, noise in (("self", "other"), ("other", "self")):
                try:
                    found[node.name] = _draw(made, node.args[centre], node.args[noise])
                except _NoDraw:
                    continue
    return found


def _draw(made: Mapping[str, AtenNode], centre: Any, noise: Any) -> Draw:
    inside: set[str] = set()
    if not isinstance(centre, Ref):
        raise _NoDraw
    if _is_random(made, noise, inside):
        return Draw(centre, None, 1.0, frozenset(inside))
    product = _source_of(made, noise, inside)
    if product is None or product.base != "mul":
        raise _NoDraw
    inside.add(product.name)
    for random, deviation in (("self", "other"), ("other", "self")):
        if _is_random(made, product.args[random], inside):
            if not isinstance(product.args[deviation], Ref):
                return Draw(centre, None, float(product.args[deviation]), frozenset(inside))
            logarithm, factor = _deviation(made, product.args[deviation], inside)
            return Draw(centre, logarithm, factor, frozenset(inside))
    raise _NoDraw


def _source_of(made: Mapping[str, AtenNode], ref: Any, inside: set[str]) -> AtenNode | None:
    """Return the node that computes a tensor, skipping those that only pass it on."""
    node = made.get(ref.name) if isinstance(ref, Ref) else None
    while node is not None and node.base in _PASSING:
        inside.add(node.name)
        node = made.get(next(iter(node.refs), ""))
    return node


def _is_random(made: Mapping[str, AtenNode], ref: Any, inside: set[str]) -> bool:
    node = _source_of(made, ref, inside)
    if node is None or node.base not in RANDOM:
        return False
    inside.add(node.name)
    inside.update(
        name for name in node.refs if name in made and made[name].base in ("zeros", "ones", "empty", "expand")
    )
    return True


def _deviation(made: Mapping[str, AtenNode], ref: Ref, inside: set[str]) -> tuple[Ref, float]:
    """Return the tensor and the factor whose product is the logarithm of the deviation."""
    node = _source_of(made, ref, inside)
    if node is None:
        raise _NoDraw
    inside.add(node.name)
    if node.base == "sqrt":
        logarithm, factor = _deviation(made, node.args["self"], inside)
        return logarithm, factor / 2
    if node.base == "mul":
        for one, other in (("self", "other"), ("other", "self")):
            if isinstance(node.args[one], Ref) and not isinstance(node.args[other], Ref):
                logarithm, factor = _exponent(made, node.args[one], inside)
                raise UnsupportedFeature(
                    "its noise has a factor besides its standard deviation", f"exp({factor:g} · x) alone is drawn from"
                )
    if node.base != "exp":
        raise UnsupportedFeature(
            f"its noise has the deviation {node.base}(...)", "`bottleneck variational` takes exp(0.5 * log_variance)"
        )
    return _exponent(made, node.args["self"], inside)


def _exponent(made: Mapping[str, AtenNode], ref: Ref, inside: set[str]) -> tuple[Ref, float]:
    node = made.get(ref.name)
    if node is None:
        raise _NoDraw
    if node.base in ("clamp", "hardtanh", *_PASSING):
        inside.add(node.name)
        return _exponent(made, node.args["self"], inside)
    if node.base in ("mul", "div"):
        first, second = node.args["self"], node.args["other"]
        if node.base == "mul" and isinstance(second, Ref):
            first, second = second, first
        if isinstance(first, Ref) and not isinstance(second, Ref):
            inside.add(node.name)
            inner, factor = _exponent(made, first, inside)
            return inner, factor * float(second) if node.base == "mul" else factor / float(second)
    return ref, 1.0


def add_draw(translation: Translation, node: AtenNode, draw: Draw) -> None:
    """Add the layers of a draw: a variational code, or noise."""
    if draw.logarithm is None:
        translation.add(node, NOISE.name, {NOISE: abs(draw.factor)}, [translation.key(draw.centre)])
        return
    one, two = _half(translation, draw.centre), _half(translation, draw.logarithm)
    means: Mapping[str, Array]
    logarithms: Mapping[str, Array]
    if one and two and one[0] is two[0]:
        means, logarithms = _rows(one[0].weights, one[1]), _rows(one[0].weights, two[1])
        removed = [one[0]]
    else:
        heads = [translation.layers.get(translation.key(ref)) for ref in (draw.centre, draw.logarithm)]
        if heads[0] is None or heads[1] is None or heads[0] is heads[1]:
            raise UnsupportedFeature("its mean and its log-variance are not the outputs of two layers", _HEADS)
        removed = [heads[0], heads[1]]
        means, logarithms = heads[0].weights, heads[1].weights
    _combine(translation, node, removed, means, {role: 2 * draw.factor * rows for role, rows in logarithms.items()})


_HEADS = "`bottleneck variational 32` takes both from one input, by a dense layer or a convolution with kernel 1"


def _combine(
    translation: Translation,
    node: AtenNode,
    heads: list[ForeignLayer],
    means: Mapping[str, Array],
    logs: Mapping[str, Array],
) -> None:
    first = heads[0]
    plain = all(head.kind == Dense.name or is_pointwise(head) for head in heads)
    same = len({_flattened(translation, head.inputs[0]) for head in heads}) == 1
    if (
        not plain
        or len({head.kind for head in heads}) > 1
        or not same
        or means.keys() != logs.keys()
        or "bias" not in means
    ):
        raise UnsupportedFeature(
            f"its mean and log-variance come from {first.name} and {heads[-1].name}, which differ", _HEADS
        )
    inputs = first.inputs
    for head in heads:
        del translation.layers[head.key]
    form, size = (Variational, UNITS) if first.kind == Dense.name else (VariationalConv, CHANNELS)
    weights = {role: np.concatenate([means[role], logs[role]]) for role in means}
    made = translation.add(node, form.name, {size: len(means["weight"])}, inputs, weights)
    translation.replace(made, name=", ".join(dict.fromkeys(head.name for head in heads)))
    translation.notes.append(
        f"{translation.layers[made].name} is a variational code: outputs were compared with its noise at zero, and the "
        "weight of its KL divergence, which the module does not hold, is left at beta=1"
    )


def _flattened(translation: Translation, key: str) -> str:
    layer = translation.layers.get(key)
    return layer.inputs[0] if layer is not None and layer.kind == Reshape.name else key


def _half(translation: Translation, ref: Ref) -> tuple[ForeignLayer, int] | None:
    """Return the layer of whose output a tensor is one half, and which half; None if it is not a half."""
    node = translation.producers.get(ref.name)
    if node is None or node.base not in SPLITS or len(node.outputs) != 2:
        return None
    layer = translation.layers.get(translation.keys.get(node.args["self"].name, ""))
    return None if layer is None else (layer, node.outputs.index(ref.name))


def _rows(weights: Mapping[str, Array], place: int) -> dict[str, Array]:
    return {role: np.split(array, 2)[place] for role, array in weights.items()}
