"""Named outputs that later layers read, as ways around the layers in between."""

from collections.abc import Iterable, Iterator

from caedsl.facts.fact import network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer


def without_stages(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield the layers with stages opened and residuals kept whole; a line `as` stays."""
    for layer in layers:
        if layer.kind.role is Role.GROUPING and layer.children:
            yield from without_stages(layer.children)
        else:
            yield layer


@network_fact
def bypassed(model: Autoencoder) -> frozenset[int]:
    """Return the ``id`` of each layer, with residuals as one, that some values bypass."""
    layers = [layer for _, part in model.parts for layer in without_stages(part)]
    places = {id(inner): place for place, layer in enumerate(layers) for inner in layer.walk()}
    around: set[int] = set()
    for place, layer in enumerate(layers):
        for inner in layer.walk():
            if isinstance(inner.kind, Join) and inner.kind.reads_values:
                around.update(map(id, layers[places.get(id(inner.source), -1) + 1 : place]))
    return frozenset(around)
