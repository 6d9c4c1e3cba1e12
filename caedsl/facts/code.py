"""The code compared with the image: whether it can hold a copy, and what prevents one."""

from caedsl.facts.sizes import encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Corrupt
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.bottlenecks.variational import KL
from caedsl.vocabulary.code_kinds import CAPACITY, CODEBOOK
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.sparse_codes import KEPT


def kept_from_copying(model: Autoencoder) -> bool:
    """Return whether noise, a separate target, a penalty or the form of the code makes a copy wrong."""
    denoising = model.train is not None and model.train.corrupt != Corrupt()
    return (
        denoising
        or model.paired
        or model.bottleneck.noise > 0
        or is_sparse(model)
        or BY_NAME[model.bottleneck.form].limits_copying
    )


def is_sparse(model: Autoencoder) -> bool:
    """Return whether few numbers of the code are far from 0, by a penalty or because the others are set to 0."""
    return model.bottleneck.l1 > 0 or any(layer.kind.sparse for layer in model.bottleneck.layers)


def can_copy(model: Autoencoder) -> bool:
    """Return whether no layer down to the code reduces the size or holds fewer numbers than the input."""
    layers = encoder_path(model)
    if any(layer.resizes or layer.kind.joins_all for layer in layers):
        return False
    return min((elements(layer.out_shape) for layer in layers), default=0) >= elements(model.input.shape)


FLOAT_BITS = 32
"""Bits of one number of a code that is stored without a codebook."""


def code_bits(model: Autoencoder) -> int:
    """Return the number of bits of a stored code: 32 per number, or those of a codebook index per position.

    For a sparse code, the positions of its ``topk`` numbers are stored, too.
    """
    shape, layers = model.code_shape, model.bottleneck.layers
    if layers and CODEBOOK in layers[-1].options:
        return elements(shape[1:]) * index_bits(layers[-1].options[CODEBOOK][0])
    if layers and KEPT in layers[-1].options:
        each = FLOAT_BITS + index_bits(elements(shape))
        return min(FLOAT_BITS * elements(shape), layers[-1].options[KEPT] * each)
    return FLOAT_BITS * elements(shape)


def index_bits(choices: int) -> int:
    """Return the number of bits of an index that distinguishes this many choices."""
    return (choices - 1).bit_length()


def code_terms(model: Autoencoder) -> str:
    """Return what the code adds to the loss, as a sum; empty if it adds nothing."""
    bottleneck = model.bottleneck
    capacity = bottleneck.layers[-1].options.get(CAPACITY, 0.0) if bottleneck.layers else 0.0
    risen = "the capacity " if capacity else ""
    rising = f", {risen}rising from 0 over {100 * bottleneck.warmup:g}% of the steps" if bottleneck.warmup else ""
    terms = [
        f"{weight:g} |{name} - {capacity:g}|" if capacity and name == KL else f"{weight:g} {name}"
        for name, weight in bottleneck.weights.items()
        if weight
    ]
    return " + ".join(terms) + rising
