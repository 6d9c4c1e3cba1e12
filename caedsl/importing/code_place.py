"""Find the code: after the layers whose names say so, or else at the smallest tensor."""

from collections.abc import Sequence
from typing import NamedTuple

from caedsl.importing.errors import ImportFailure
from caedsl.importing.lines import finish_of
from caedsl.importing.names import is_called
from caedsl.importing.network import Network
from caedsl.importing.structure import Item
from caedsl.vocabulary.shape import elements, text


class CodePlace(NamedTuple):
    """Number of ``items`` that belong to the encoder, including the code, and how it was found."""

    items: int
    how: str


def code_place(network: Network, items: Sequence[Item]) -> CodePlace:
    """Return where the decoder begins; the last item before it returns the code."""
    place = _code_place(network, items)
    code = items[place.items - 1].layer
    others = [layer for layer in network.layers if layer.is_code and layer is not code]
    if others:
        raise ImportFailure(
            f"{network.name} was not imported: {others[0].name} is a `{others[0].kind}` code, but a spec has one code, "
            "between its encoder and its decoder",
            was_read=True,
        )
    return place


def _code_place(network: Network, items: Sequence[Item]) -> CodePlace:
    if len(items) < 2:
        raise ImportFailure(
            f"{network.name} was not imported: it has one layer, but an autoencoder has an encoder and a decoder"
        )
    for place, item in enumerate(items[:-1]):
        if item.layer.is_code or item.layer.key == network.code:
            return CodePlace(place + 1, f"the code is the output of {item.layer.name} ({text(item.layer.shape)})")
    return _by_name(items) or _smallest(items, 0, len(items) - 2, "the smallest tensor")


def _by_name(items: Sequence[Item]) -> CodePlace | None:
    last = max((place for place, item in enumerate(items) if is_called(item.layer.name, "encoder")), default=-1)
    first = next((place for place, item in enumerate(items) if is_called(item.layer.name, "decoder")), len(items))
    if (last < 0 and first == len(items)) or last >= first or first == 0:
        return None
    named = [place for place in range(max(last, 0), first) if is_called(items[place].layer.name, "code")]
    if named:
        layer = items[named[-1]].layer
        how = f"the code is the output of {layer.name} ({text(layer.shape)}), by its name"
        return CodePlace(named[-1] + 1, how)
    end = min(first, len(items) - 1) - 1
    if end < max(last, 0):
        return None
    return _smallest(items, max(last, 0), end, "the smallest tensor between the layers named encoder and decoder")


def _on_parallel_branches(items: Sequence[Item]) -> set[int]:
    """Return the places of items on parallel branches, whose outputs cannot be the code."""
    places = {item.layer.key: place for place, item in enumerate(items)}
    found: set[int] = set()
    for place, item in enumerate(items):
        if item.layer.kind == "from":
            left = items[place - 1].layer.key
            joined = max((later for later, each in enumerate(items) if each.reads == left), default=place)
            found.update(range(places.get(item.reads, -1) + 1, joined))
    return found


def _smallest(items: Sequence[Item], first: int, last: int, which: str) -> CodePlace:
    """Return the first smallest output, or that of the activation that follows it."""
    outside = _on_parallel_branches(items) | {place for place, item in enumerate(items) if item.layer.acts_on_code}
    places = [place for place in range(first, last + 1) if place not in outside] or range(first, last + 1)
    place = min(places, key=lambda place: elements(items[place].layer.shape))
    while place < last and finish_of(items[place + 1].layer) is not None and not items[place + 1].reads:
        place += 1
    layer = items[place].layer
    if first == last:
        which = "the last before the layers named decoder"
    return CodePlace(place + 1, f"the code is the output of {layer.name} ({text(layer.shape)}), {which}")
