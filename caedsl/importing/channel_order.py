"""Order of joined channels: ``concat`` puts the layer before it first, and later weights follow that order.

Of two inputs in the other order, ``concat NAME first`` says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from caedsl.importing.errors import UnsupportedLayer, unsupported
from caedsl.importing.network import INPUT, Array, ForeignLayer, Network
from caedsl.importing.structure import last_computed
from caedsl.vocabulary.kind import Role, Window
from caedsl.vocabulary.layers.concat import FIRST, Concat
from caedsl.vocabulary.norms import NONE, NORM, NORMS
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import CHANNEL_GROUPS

_INPUT_CHANNELS = {Window.CONVOLUTION: 1, Window.TRANSPOSED: 0}
"""Axis of the input's channels in the weight of a convolution."""
_PLACES = (Role.PASSING, Role.ADJUSTING, Role.JOINING)
"""Roles of kinds that keep the places of numbers, or join them place by place."""


def in_spec_order(network: Network) -> Network:
    """Return the network with every join in the order of a spec, and the weights that read it permuted."""
    if not any(layer.kind == Concat.name for layer in network.layers):
        return network
    place = {INPUT: -1} | {layer.key: place for place, layer in enumerate(network.layers)}
    shapes = {INPUT: network.input_shape} | {layer.key: layer.shape for layer in network.layers}
    orders: dict[str, Array] = {INPUT: np.arange(network.input_shape[0])}
    layers, notes = [], []
    for layer in network.layers:
        read = [orders[key] for key in layer.inputs]
        if layer.kind == Concat.name:
            joined, orders[layer.key] = _reordered_concat(layer, read, shapes, last_computed(layer, place))
            layers.append(joined)
            continue
        after, order = _reordered_layer(network, layer, read, shapes)
        if after is not layer and not np.array_equal(order, read[0]):
            notes.append(
                f"the input channels of {layer.name} are in the order of `concat`: the layer before comes first"
            )
        orders[layer.key] = order
        layers.append(after)
    if not _is_plain(orders[layers[-1].key]):
        raise _order_error(network, layers[-1])
    return replace(network, layers=tuple(layers), notes=(*network.notes, *notes))


def _reordered_concat(
    layer: ForeignLayer, read: Sequence[Array], shapes: Mapping[str, Shape], before: str
) -> tuple[ForeignLayer, Array]:
    """Return a join that reads ``before``, the layer before it, first; and the order of its channels."""
    starts = np.cumsum([0, *(shapes[key][0] for key in layer.inputs[:-1])])
    first = layer.inputs.index(before)
    places = [first, *(place for place in range(len(read)) if place != first)]
    swapped = places == [1, 0]
    order = np.concatenate([starts[place] + read[place] for place in (sorted(places) if swapped else places)])
    inputs = tuple(layer.inputs[place] for place in places)
    return replace(layer, inputs=inputs, options=layer.options.changed({FIRST: swapped})), order


def _reordered_layer(
    network: Network, layer: ForeignLayer, read: Sequence[Array], shapes: Mapping[str, Shape]
) -> tuple[ForeignLayer, Array]:
    """Return the layer for inputs in another order, and the order of its output."""
    order, plain, kind = read[0], np.arange(layer.shape[0]), layer.declared
    if all(map(_is_plain, read)):
        return layer, plain
    if kind is None or not all(np.array_equal(each, order) for each in read):
        raise _order_error(network, layer)
    if kind.role is Role.WEIGHTED and layer.options.get(CHANNEL_GROUPS, 1) == 1:
        weight = _reordered(layer.weights["weight"], kind.window, order, shapes[layer.inputs[0]])
        return replace(layer, weights={**layer.weights, "weight": weight}), plain
    if kind.role not in _PLACES or not _is_channelwise(layer, len(order)):
        raise _order_error(network, layer)
    weights = {role: array if array.size == 1 else array[order] for role, array in layer.weights.items()}
    return replace(layer, weights=weights), order


def _is_channelwise(layer: ForeignLayer, channels: int) -> bool:
    """Return whether each channel of the output depends on the same channel of the input alone, weights included."""
    norm = NORMS.get(layer.options.get(NORM, NONE))
    if norm is not None and norm.divides:  # its statistics are those of neighbouring channels
        return False
    return layer.shape[0] == channels and all(
        array.size == 1 or array.shape == (channels,) for array in layer.weights.values()
    )


def _reordered(weight: Array, window: Window | None, order: Array, shape: Shape) -> Array:
    """Return the weight for an input of ``shape`` with its channels in another order; a dense one reads them flat."""
    if window is not None:
        return np.take(weight, order, axis=_INPUT_CHANNELS[window])
    columns = np.arange(weight.shape[1]).reshape(shape)[order].reshape(-1)
    return np.take(weight, columns, axis=1)


def _is_plain(order: Array) -> bool:
    return bool(np.array_equal(order, np.arange(len(order))))


def _order_error(network: Network, layer: ForeignLayer) -> Exception:
    why = "it reads channels in another order than that of `concat`"
    near = "put the layer before first: torch.cat([x, skip], dim=1)"
    return unsupported(network.name, [UnsupportedLayer(layer.name, why, near)])
