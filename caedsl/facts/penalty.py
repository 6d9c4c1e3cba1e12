"""Least cost of weight penalties, compared with the loss of the mean image, which is the most that a model can gain.

A network of L weight layers can pass the image on with ever smaller weights in one layer as long as another compensates
for it. So the least of Σ λ_l·r_l·g_l for gains g_l whose product is 1 is L·(Π λ_l·r_l)^(1/L), by the inequality of
arithmetic and geometric means; r_l is the squared norm of the kernel at gain 1. A layer without a penalty compensates
for the others at no cost, as far as its weights can change.

The values of r_l were fitted to training runs on MNIST and Fashion-MNIST (heuristic): 1 for a convolution, and twice
the numbers that get through, at most 32, for a dense layer. A normalisation undoes the scale of everything before it,
so that only the layers after the last one count. The normalised layer itself can compensate for them.

The formula agrees with 20 training runs of three architectures on MNIST and with eight pilot runs on each of two
datasets. Shares below 0.1 cost little. Above 0.15, the remaining error is at least 1.5 times that without the penalty.
Above 1, the weights go to 0.
"""

from math import exp, log, sqrt
from typing import NamedTuple

from caedsl.facts.fact import fact
from caedsl.facts.presets import image_variance
from caedsl.facts.signal import signal_path
from caedsl.facts.steps import loss_scale, travel
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.vocabulary.kernel_options import INIT, L2
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layer_initialisation import variance
from caedsl.vocabulary.shape import elements

MOST_DIRECTIONS = 32
"""Largest number of directions in which a dense layer carries the image (heuristic)."""
SMALLEST = 1e-300
"""Smallest divisor."""
FARTHEST_GAIN = 100.0
"""Upper bound on the power that a free layer can add: training runs came close to it (heuristic)."""


class L2Cost(NamedTuple):
    """Least cost of the L2 penalties of a model.

    ``share`` is that cost over the loss of the mean image: from about 1 on, weights of zero are cheaper than any
    reconstruction. ``layers`` are the penalised layers with their λ, ``free`` counts those without.
    """

    share: float
    cost: float
    loss: float
    layers: tuple[tuple[Layer, float], ...]
    free: int


def chain(model: Autoencoder) -> list[Layer]:
    """Return the layers with a kernel that the whole signal goes through; those inside residuals can be bypassed."""
    return [gain.layer for gain in signal_path(model) if INIT in gain.layer.options]


def decay_penalty(train: Train) -> float:
    """Return the λ of λ·Σw² that is equivalent to the optimizer's weight decay; 0 if it is decoupled."""
    return 0.0 if train.optimizer.kind.decoupled else train.optimizer.weight_decay / 2


@fact
def l2_cost(model: Autoencoder) -> L2Cost | None:
    """Return the least cost of the L2 penalties; None if there are none after the last normalisation."""
    if model.train is None:
        return None
    decay = decay_penalty(model.train)
    layers = [(layer, layer.options[L2] + decay) for layer in _from_last_norm(chain(model))]
    held = tuple((layer, lam) for layer, lam in layers if lam and layer.norm is None)
    if not held:
        return None
    free = [layer for layer, lam in layers if not lam or layer.norm is not None]
    logs = sum(log(lam * _norm_at_gain_one(layer)) for layer, lam in held)
    from_free = sum(log(_free_gain(layer, travel(model))) for layer in free[-1:])
    cost = len(held) * exp((logs - from_free) / len(held))
    scale = sum(term.weight * term.kind.gain for term in model.train.loss.terms) / _weights(model.train)
    loss = max(image_variance(model) * loss_scale(model, model.train.loss) * scale, SMALLEST)
    return L2Cost(cost / loss, cost, loss, held, len(free))


def _from_last_norm(layers: list[Layer]) -> list[Layer]:
    """Return the layers from the last normalised one on: it undoes the scale of all before it."""
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
