"""Models of signals and of volumes, made from one of images by giving every feature map other axes in space."""

from collections.abc import Callable
from dataclasses import replace

from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Shape
from tests.figures.gallery import SPECS, model_of


def signal(shape: Shape) -> Shape:
    """Return a signal as long as four rows of the map."""
    return (shape[0], 4 * shape[1]) if len(shape) == 3 else shape


def volume(shape: Shape) -> Shape:
    """Return a volume as deep as the map is high."""
    return (shape[0], shape[1], *shape[1:]) if len(shape) == 3 else shape


def of_rank(name: str, change: Callable[[Shape], Shape]) -> Autoencoder:
    """Return a model of the gallery with every shape changed."""

    made: dict[int, Layer] = {}

    def one_changed(layer: Layer) -> Layer:
        source = made[id(layer.source)] if layer.source else None
        made[id(layer)] = replace(
            layer,
            in_shape=change(layer.in_shape),
            out_shape=change(layer.out_shape),
            children=changed(layer.children),
            shortcut=changed(layer.shortcut),
            source=source,
        )
        return made[id(layer)]

    def changed(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(map(one_changed, layers))

    model = model_of(SPECS[name])
    encoder = changed(model.encoder)
    code = replace(
        model.bottleneck,
        code_shape=change(model.code_shape),
        layers=changed(model.bottleneck.layers),
        inverse=changed(model.bottleneck.inverse),
    )
    return replace(
        model,
        input=replace(model.input, shape=change(model.input.shape)),
        encoder=encoder,
        bottleneck=code,
        decoder=changed(model.decoder),
    )


RANKS = {"signal": signal, "volume": volume}
