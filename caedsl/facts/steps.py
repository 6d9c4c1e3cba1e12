"""What the settings allow: how many steps a run takes, and how far a learning rate can travel in them.

All follow from the number of training images, and are None where that, or a number that is ``auto``, is unknown.
"""

from math import ceil

from caedsl.facts.fact import fact
from caedsl.facts.outputs import activation_of, output_layer
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, Optimizer, Train
from caedsl.vocabulary.shape import elements

FEWEST_STEPS, GOOD_STEPS, ENOUGH_STEPS = 300, 500, 1000
"""Steps below which a run learns little, and numbers that are enough (heuristics): in a pilot on MNIST
healthy models left the mean picture after 40 to 240 steps and were good after 500."""

FEWEST_BATCHES = 10
CURES = (64, 32, 16, 8)

_USUAL_STEPS, _SAMPLES = 4000, 400
"""Steps of a run whose number is unknown, and those of a run that the mean of a schedule is taken over."""


@fact
def steps_per_epoch(model: Autoencoder) -> int | None:
    """Batches that an epoch has; the last may be smaller."""
    images = training_images(model)
    if images is None or model.train is None or isinstance(model.train.batch, str):
        return None
    return ceil(images / model.train.batch)


@fact
def steps(model: Autoencoder) -> int | None:
    """Return steps of the whole run, where nothing ends it early."""
    epoch = steps_per_epoch(model)
    return None if epoch is None or model.train is None else epoch * model.train.epochs


@fact
def better_batch(model: Autoencoder) -> int | None:
    """Return the batch that gives a run of too few steps enough of them; None where the batch is not what is wrong.

    It is the largest power of two from 64 down to 8 that gives 500 steps, or else 300, where an epoch has fewer than 10
    batches now.
    """
    images, count, epoch = training_images(model), steps(model), steps_per_epoch(model)
    if images is None or count is None or epoch is None or model.train is None or isinstance(model.train.batch, str):
        return None
    if count >= FEWEST_STEPS or epoch >= FEWEST_BATCHES:
        return None
    sizes = [size for size in CURES if size < model.train.batch]
    for wanted in (GOOD_STEPS, FEWEST_STEPS):
        for size in sizes:
            if ceil(images / size) * model.train.epochs >= wanted:
                return size
    return None


@fact
def mean_factor(model: Autoencoder) -> float:
    """Return the mean over a run of what the schedule multiplies the rate by; plateaus cannot be foreseen.

    Without a known number of steps, that of a usual run stands for it.
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
    """Return the sum of the learning rates of all steps: the farthest that Adam and its kin can move a weight, about.

    Their step is the rate times m/√v, which is near 1 in size where gradients agree and less where they do not
    (Kingma and Ba 2015, section 2.1).
    """
    count = steps(model)
    if count is None or model.train is None or isinstance(model.train.optimizer.lr, str):
        return None
    return model.train.optimizer.lr * count * mean_factor(model)


def pixels(model: Autoencoder) -> int:
    """Return the numbers in a target: what a summed loss is larger by than a mean."""
    return elements(model.target.shape)


def loss_scale(model: Autoencoder, loss: Loss) -> float:
    """Return the factor between the loss and a plain mean over pixels: weights, and the pixels of a sum."""
    weight = sum(term.weight for term in loss.terms)
    return weight * (pixels(model) if loss.reduction == "sum" else 1)


def gathered(optimizer: Optimizer) -> float:
    """How many times its rate SGD moves by where gradients agree: 1 / (1 - momentum)."""
    return 1 / (1 - optimizer.momentum)


def sgd_rate(model: Autoencoder, train: Train) -> float | None:
    """Return the effective rate of SGD, in units of mean squared error behind a sigmoid, without momentum.

    rate · loss scale · curvature / (1 - momentum). None for losses and outputs whose curvature was not worked out, and
    for a rate that is still to be found.
    """
    layer = output_layer(model)
    if layer is None or len(train.loss.terms) != 1 or isinstance(train.optimizer.lr, str):
        return None
    curvature = train.loss.terms[0].kind.curvature
    output = activation_of(layer)
    if curvature is None or (train.loss.probabilities and not 0 <= output.low <= output.high <= 1):
        return None
    slope = output.slope
    scale = gathered(train.optimizer) * loss_scale(model, train.loss)
    return train.optimizer.lr * scale * curvature * slope * slope


def sgd_pace(model: Autoencoder, train: Train) -> float | None:
    """Return the effective rate as it counts towards learning: a steeper output learns no faster.

    On MNIST, 450 steps at 0.1 with momentum 0.9 left 0.51 of the variance behind a linear output, and at 0.2 0.44
    behind a sigmoid; at 0.01, 0.03 and 0.3 the linear one left 0.97, 0.74 and 0.38.
    """
    rate, layer = sgd_rate(model, train), output_layer(model)
    if rate is None or layer is None:
        return rate
    # A slope of 1/4, that of a sigmoid, is what the rate is measured in.
    return rate / (4 * activation_of(layer).slope) ** 2
