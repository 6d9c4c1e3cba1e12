"""Order of joined channels: ``concat`` puts the layer before it first, and later weights follow that order.

Of two inputs in the other order, ``concat NAME first`` says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from caedsl.importing.errors import UnsupportedLayer, unsupported
from caedsl.importing.network import INPUT, Array, ForeignLayer, Network
from caedsl.importing.structure import last_computed
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layers import KINDS

_CHANNELWISE = ("batch", "instance", "layer", "rms", "channel")
_LEARNED_SLOPES = ("prelu", "channel_prelu")
_PLACES = Role.PASSING, Role.ADJUSTING


def in_spec_order(network: Network) -> Network:
    """Return the network with every join in the order of a spec, and the weights that read it permuted."""
    if not any(layer.kind == "concat" for layer in network.layers):
        return network
    place = {INPUT: -1} | {layer.key: place for place, layer in enumerate(network.layers)}
    shapes = {INPUT: network.input_shape} | {layer.key: layer.shape for layer in network.layers}
    orders: dict[str, Array] = {INPUT: np.arange(network.input_shape[0])}
    layers, notes = [], []
    for layer in network.layers:
        read = [orders[key] for key in layer.inputs]
        if layer.kind == "concat":
            first = last_computed(layer, place)
            channels = [shapes[key][0] for key in layer.inputs]
            starts = np.cumsum([0, *channels[:-1]])
            at = layer.inputs.index(first)
            sequence = [at, *(each for each in range(len(channels)) if each != at)]
            swapped = sequence == [1, 0]
            joined = sorted(sequence) if swapped else sequence
            orders[layer.key] = np.concatenate([starts[each] + read[each] for each in joined])
            inputs = tuple(layer.inputs[each] for each in sequence)
            layers.append(replace(layer, inputs=inputs, options="first" if swapped else layer.options))
            continue
        made, orders[layer.key] = _through(network, layer, read, shapes)
        if made is not layer and made.weights.keys() and made.kind not in ("norm", *_LEARNED_SLOPES):
            notes.append(
                f"the input channels of {layer.name} are in the order of `concat`: the layer before comes first"
            )
        layers.append(made)
    if not _is_order(orders[layers[-1].key]):
        raise _refused(network, layers[-1])
    return replace(network, layers=tuple(layers), notes=(*network.notes, *notes))


def _through(
    network: Network, layer: ForeignLayer, read: Sequence[Array], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[ForeignLayer, Array]:
    """Return the layer for inputs in another order, and the order of its output."""
    order, fresh = read[0], np.arange(layer.shape[0])
    if all(map(_is_order, read)):
        return layer, fresh
    weights = dict(layer.weights)
    if layer.kind == "conv" and " g" not in f" {layer.options}" and "depthwise" not in layer.options:
        return replace(layer, weights=weights | {"weight": weights["weight"][:, order]}), fresh
    if layer.kind == "deconv" and " g" not in f" {layer.options}":
        return replace(layer, weights=weights | {"weight": weights["weight"][order]}), fresh
    if layer.kind == "dense":
        shape = shapes[layer.inputs[0]]
        columns = np.arange(weights["weight"].shape[1]).reshape(shape)[order].reshape(-1)
        return replace(layer, weights=weights | {"weight": weights["weight"][:, columns]}), fresh
    channelwise = layer.kind == "norm" and layer.options.split()[0] in _CHANNELWISE
    if channelwise or layer.kind in _LEARNED_SLOPES:
        moved = {role: array[order] if array.shape == (len(order),) else array for role, array in weights.items()}
        return replace(layer, weights=moved), order
    if layer.kind == "add" and all(np.array_equal(each, order) for each in read):
        return layer, order
    kind = KINDS.get(layer.kind)
    if (
        kind is not None
        and kind.role in _PLACES
        and layer.shape[0] == len(order)
        and not weights
        and layer.kind not in ("norm", "globalpool", "pixelshuffle", "pixelunshuffle")
    ):
        return layer, order
    if layer.kind == "globalpool":
        return layer, order
    raise _refused(network, layer)


def _is_order(order: Array) -> bool:
    return bool(np.array_equal(order, np.arange(len(order))))


def _refused(network: Network, layer: ForeignLayer) -> Exception:
    why = "it reads channels in another order than that of `concat`"
    near = "put the layer before first: torch.cat([x, skip], dim=1)"
    return unsupported(network.name, [UnsupportedLayer(layer.name, why, near)])
