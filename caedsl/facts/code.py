"""The code against the image: whether it can hold a copy, and what keeps it from doing so."""

from caedsl.facts.sizes import encoder_path, resizes
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Corrupt
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.shape import elements


def kept_from_copying(model: Autoencoder) -> bool:
    """Return whether noise, a penalty or the form of the code makes a copy the wrong answer."""
    denoising = model.train is not None and model.train.corrupt != Corrupt()
    return (
        denoising
        or model.bottleneck.noise > 0
        or model.bottleneck.l1 > 0
        or BY_NAME[model.bottleneck.form].limits_copying
    )


def can_copy(model: Autoencoder) -> bool:
    """Whether no layer down to the code reduces the size or holds fewer numbers than the input."""
    layers = encoder_path(model)
    if any(resizes(layer) or layer.kind.joins_all for layer in layers):
        return False
    return min((elements(layer.out_shape) for layer in layers), default=0) >= elements(model.input.shape)
