"""What weight penalties cost a model at their cheapest, against the image error there is to gain.

A network of L weight layers can pass the image on with ever smaller weights in one layer as long as another makes up
for
it, so that the least of Σ λ_l·r_l·g_l for gains g_l whose product is 1 is L·(Π λ_l·r_l)^(1/L), by the inequality of the
means; r_l is the squared norm of the kernel at gain 1. A layer without a penalty makes up for the others at no cost,
as far as its weights can travel.

What r_l is was fitted to trainings on MNIST and Fashion-MNIST (heuristic): 1 for a convolution, and twice the numbers
that get through, 32 at most, for a dense layer. A
normalisation undoes the scale of all that comes before it, so that only what follows the last one counts, and the
normalised layer is one that makes up for it.

The formula agrees with 20 trainings of three architectures on MNIST and with the pilot's eight on each of two data
sets:
shares below 0.1 cost little, from 0.15 on the error that is left is 1.5 times that without the penalty or more, and
from 1 on the weights go to 0.
"""

from math import exp, log, sqrt
from typing import NamedTuple

from caedsl.facts.fact import fact
from caedsl.facts.presets import image_variance
from caedsl.facts.signal import signal_path
from caedsl.facts.steps import loss_scale, travel
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.vocabulary.initialisation import variance
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.weights import INIT, L2

MOST_DIRECTIONS = 32
SMALLEST = 1e-300
"""Nothing is divided by less."""
FARTHEST_GAIN = 100.0
"""How much power a free layer is trusted to add, at most: trainings found it near that (heuristic)."""


class L2Cost(NamedTuple):
    """The L2 penalties of a model at their cheapest.

    ``share`` is that cost over the loss of the mean image: from about 1 on, weights of zero are cheaper than any
    reconstruction. ``layers`` are the penalised ones with their λ, ``free`` those without.
    """

    share: float
    cost: float
    loss: float
    layers: tuple[tuple[Layer, float], ...]
    free: int


def chain(model: Autoencoder) -> list[Layer]:
    """Return the layers with a kernel that all of the signal goes through: those inside residuals can be passed by."""
    return [gain.layer for gain in signal_path(model) if INIT in gain.layer.options]


def decay_penalty(train: Train) -> float:
    """Return the λ of λ·Σw² that the optimiser's weight decay stands for; 0 where it is decoupled."""
    return 0.0 if train.optimizer.kind.decoupled else train.optimizer.weight_decay / 2


@fact
def l2_cost(model: Autoencoder) -> L2Cost | None:
    """Return the L2 penalties at their cheapest; None where there are none, or none behind the last normalisation."""
    if model.train is None:
        return None
    decay = decay_penalty(model.train)
    layers = [(layer, layer.options[L2] + decay) for layer in _from_last_norm(chain(model))]
    held = tuple((layer, lam) for layer, lam in layers if lam and layer.norm is None)
    if not held:
        return None
    free = [layer for layer, lam in layers if not lam or layer.norm is not None]
    logs = sum(log(lam * _norm_at_gain_one(layer)) for layer, lam in held)
    spared = sum(log(_free_gain(layer, travel(model))) for layer in free[-1:])
    cost = len(held) * exp((logs - spared) / len(held))
    scale = sum(term.weight * term.kind.gain for term in model.train.loss.terms) / _weights(model.train)
    loss = max(image_variance(model) * loss_scale(model, model.train.loss) * scale, SMALLEST)
    return L2Cost(cost / loss, cost, loss, held, len(free))


def _from_last_norm(layers: list[Layer]) -> list[Layer]:
    """Return the layers from the last that is normalised on: it undoes what the scale of all before it does."""
    normalised = [place for place, layer in enumerate(layers) if layer.norm is not None]
    return layers[normalised[-1] :] if normalised else layers


def _weights(train: Train) -> float:
    return sum(term.weight for term in train.loss.terms)


def _norm_at_gain_one(layer: Layer) -> float:
    if not layer.kind.joins_all:
        return 1.0
    return 2.0 * min(MOST_DIRECTIONS, layer.out_shape[0], elements(layer.in_shape))


def _free_gain(layer: Layer, travelled: float | None) -> float:
    """Return the power that an unpenalised layer can add by growing as far as the learning rate allows."""
    if travelled is None or layer.norm is not None:
        return FARTHEST_GAIN
    grown = 1 + travelled / sqrt(max(variance(layer), SMALLEST))
    return min(FARTHEST_GAIN, grown * grown)
