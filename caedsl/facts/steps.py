"""Consequences of the settings: how many steps a run takes, and how far a learning rate can travel in them.

All follow from the number of training images. They are None if that number, or one that is ``auto``, is unknown.
"""

from math import ceil

from caedsl.facts.fact import fact
from caedsl.facts.outputs import output_layer
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, Optimizer, Train
from caedsl.vocabulary.shape import elements

FEWEST_STEPS, GOOD_STEPS, ENOUGH_STEPS = 300, 500, 1000
"""Steps below which a run learns little, and numbers that are enough (heuristics): in a pilot on MNIST, healthy models
became better than the mean image after 40 to 240 steps and were good after 500."""

SMALL_UPDATE, LARGE_UPDATE = 2e-4, 0.1
"""Sizes of a step relative to the weights that are too small and too large: healthy pilot runs had 0.0024 to 0.0155."""

FEWEST_BATCHES = 10
"""Batches of an epoch below which its batch size counts as too large (heuristic)."""

SMALLER_BATCHES = (64, 32, 16, 8)
"""Batch sizes to suggest instead, the largest first."""

_USUAL_STEPS, _SAMPLES = 4000, 400
"""Steps to assume for a run whose number is unknown, and how many of them the mean of a schedule samples."""


@fact
def steps_per_epoch(model: Autoencoder) -> int | None:
    """Return the number of batches of an epoch; the last may be smaller."""
    images = training_images(model)
    if images is None or model.train is None or isinstance(model.train.batch, str):
        return None
    return ceil(images / model.train.batch)


@fact
def steps(model: Autoencoder) -> int | None:
    """Return the number of steps of the whole run, if nothing ends it early."""
    epoch = steps_per_epoch(model)
    return None if epoch is None or model.train is None else epoch * model.train.epochs


@fact
def better_batch(model: Autoencoder) -> int | None:
    """Return the batch that gives a run with too few steps enough of them; None if the batch is not the problem."""
    images, train = training_images(model), model.train
    if images is None or train is None or isinstance(train.batch, str):
        return None
    return smaller_batch(images, train.batch, train.epochs)


def smaller_batch(images: int, batch: int, epochs: int) -> int | None:
    """Return the largest power of two from 64 down to 8 that gives a run 500 steps, or else 300.

    None if it has 300 steps already, or at least 10 in each epoch.
    """
    epoch = ceil(images / batch)
    if epoch * epochs >= FEWEST_STEPS or epoch >= FEWEST_BATCHES:
        return None
    sizes = [size for size in SMALLER_BATCHES if size < batch]
    for wanted in (GOOD_STEPS, FEWEST_STEPS):
        for size in sizes:
            if ceil(images / size) * epochs >= wanted:
                return size
    return None


@fact
def mean_factor(model: Autoencoder) -> float:
    """Return the mean factor of the schedule over a run; plateaus cannot be predicted.

    If the number of steps is unknown, that of a usual run is used.
    """
    if model.train is None or model.train.schedule.steady:
        return 1.0
    schedule, epochs = model.train.schedule, model.train.epochs
    an_epoch = steps_per_epoch(model) or max(1, _USUAL_STEPS // epochs)
    count = an_epoch * epochs
    apart = max(1, count // _SAMPLES)
    sampled = range(apart // 2, count, apart)
    return sum(schedule.factors(sampled, count, an_epoch)) / len(sampled)


@fact
def travel(model: Autoencoder) -> float | None:
    """Return the sum of the learning rates of all steps: about how far Adam-like optimizers can move a weight.

    Their step is the rate times m/√v, whose size is near 1 where gradients agree and less where they do not (Kingma and
    Ba 2015, section 2.1).
    """
    count = steps(model)
    if count is None or model.train is None or isinstance(model.train.optimizer.lr, str):
        return None
    return model.train.optimizer.lr * count * mean_factor(model)


def pixels(model: Autoencoder) -> int:
    """Return the number of values of a target: the factor between a summed loss and a mean."""
    return elements(model.target.shape)


def loss_scale(model: Autoencoder, loss: Loss) -> float:
    """Return the factor between the loss and a plain mean over pixels: weights, and the pixels of a sum."""
    weight = sum(term.weight for term in loss.terms)
    return weight * (pixels(model) if loss.reduction == "sum" else 1)


def momentum_factor(optimizer: Optimizer) -> float:
    """Return the factor by which momentum scales SGD's steps where gradients agree: 1 / (1 - momentum)."""
    return 1 / (1 - optimizer.momentum)


def sgd_rate(model: Autoencoder, train: Train) -> float | None:
    """Return the effective rate of SGD, in units of mean squared error after a sigmoid, without momentum.

    It is rate · loss scale · curvature / (1 - momentum). Return None for losses and outputs whose curvature is not
    known here, and for a rate that is still to be found.
    """
    layer = output_layer(model)
    if layer is None or len(train.loss.terms) != 1 or isinstance(train.optimizer.lr, str):
        return None
    curvature = train.loss.terms[0].kind.curvature
    output = layer.activation
    if curvature is None or (train.loss.probabilities and not 0 <= output.low <= output.high <= 1):
        return None
    slope = output.slope
    scale = momentum_factor(train.optimizer) * loss_scale(model, train.loss)
    return train.optimizer.lr * scale * curvature * slope * slope


def sgd_pace(model: Autoencoder, train: Train) -> float | None:
    """Return the effective rate as it counts towards learning: a steeper output does not learn faster.

    Measured on MNIST with momentum 0.9: after 450 steps, a linear output left 0.97, 0.74, 0.51 and 0.38 of the variance
    at rates of 0.01, 0.03, 0.1 and 0.3, and a sigmoid left 0.44 at 0.2.
    """
    rate, layer = sgd_rate(model, train), output_layer(model)
    if rate is None or layer is None:
        return rate
    # Rates are measured relative to a slope of 1/4, that of a sigmoid.
    return rate / (4 * layer.activation.slope) ** 2
