"""The divergence of a variational code as noise on the pixels: what a squared error with it can resolve."""

from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import LossTerm, Train
from caedsl.vocabulary.bottlenecks.variational import KL
from caedsl.vocabulary.code_kinds import CAPACITY, FREE_BITS, FREE_NATS
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import elements


def only_term(train: Train) -> LossTerm | None:
    """Return the term of the reconstruction loss if it is the only one, over all pixels."""
    term = train.loss.terms[0]
    whole = len(train.loss.terms) == 1 and train.loss.worst is None and term.weight > 0
    return term if whole else None


def assumed_noise(model: Autoencoder) -> float | None:
    """Return the variance of the noise that a decoder is trained for; None without a divergence or a squared error.

    `w · |x - x̂|² + beta · KL` is the negative evidence lower bound of a decoder with Gaussian noise of variance
    beta / 2w, with either ``reduction``, because a spec always reduces both in the same way.
    """
    beta = model.bottleneck.weights.get(KL, 0.0)
    term = only_term(model.train) if model.train is not None else None
    if not beta or term is None or not term.kind.quadratic or not model.bottleneck.layers:
        return None
    return beta / (2 * term.weight) if costs_from_zero(model.bottleneck.layers[-1]) else None


def costs_from_zero(code: PlacedLayer) -> bool:
    """Return whether every nat of the divergence of ``code`` costs as much as the last."""
    return not free_for_each(code) and not code.options.get(CAPACITY, 0.0)


def free_for_each(code: PlacedLayer) -> float:
    """Return the divergence in nats that is free, on average over the numbers of ``code``."""
    return code.options.get(FREE_BITS, 0.0) or code.options.get(FREE_NATS, 0.0) / elements(code.out_shape)
