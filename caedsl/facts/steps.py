"""What the settings allow: how many steps a run takes, and how far a learning rate can travel in them.

All follow from the number of training images, and are None where that, or a number that is ``auto``, is unknown.
"""

from math import ceil

from caedsl.facts.fact import fact
from caedsl.facts.outputs import activation_of, output_layer
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, Optimizer, Schedule, Train
from caedsl.vocabulary.shape import elements

ADAPTIVE = ("adam", "adamw", "rmsprop")
"""Optimisers whose steps are about as large as the rate, whatever the scale of the loss."""

FEWEST_STEPS, GOOD_STEPS, ENOUGH_STEPS = 300, 500, 1000
"""Steps below which a run learns little, and numbers that are enough to learn something (heuristics): in a pilot on MNIST
healthy models left the mean picture after 40 to 240 steps and were good after 500."""

FEWEST_BATCHES = 10
CURES = (64, 32, 16, 8)

ONECYCLE_START = 1 / 25
"""The share of its peak at which ``onecycle`` starts, that of ``torch.optim.lr_scheduler.OneCycleLR``."""

CURVATURE = {("mse", "sigmoid"): 1.0, ("bce", "sigmoid"): 3.0, ("mse", ""): 16.0}
"""How much steeper a loss is in the output before its activation than squared error behind a sigmoid.

With p the output, the curvature is 2·(p(1 - p))² for squared error behind a sigmoid, p(1 - p) for binary cross-entropy, and
2 for squared error behind an output that is linear where it stands: 2 to 4.4 times and 16 to 78 times the first, for p from
0.5 down to MNIST's mean of 0.13. Trainings of 500 steps on MNIST agree with 3 and 16 (heuristic)."""


@fact
def steps_per_epoch(model: Autoencoder) -> int | None:
    """Batches that an epoch has; the last may be smaller."""
    images = training_images(model)
    if images is None or model.train is None or isinstance(model.train.batch, str):
        return None
    return ceil(images / model.train.batch)


@fact
def steps(model: Autoencoder) -> int | None:
    """Steps of the whole run, where nothing ends it early."""
    epoch = steps_per_epoch(model)
    return None if epoch is None or model.train is None else epoch * model.train.epochs


@fact
def better_batch(model: Autoencoder) -> int | None:
    """The batch that gives a run of too few steps enough of them; None where the batch is not what is wrong.

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


def mean_factor(schedule: Schedule, epochs: int) -> float:
    """The mean over a run of what the schedule multiplies the rate by; 1 for ``plateau``, which nobody can foresee."""
    start = ONECYCLE_START if schedule.name == "onecycle" else 0.0
    rising = schedule.warmup * (1 + start) / 2
    share = 1 - schedule.warmup
    if schedule.name in ("cosine", "onecycle"):
        return rising + share / 2
    if schedule.name == "step" and schedule.at is not None:
        late = min(share, max(0.0, 1 - schedule.at / epochs))
        return rising + share - late * (1 - schedule.factor)
    return rising + share


@fact
def travel(model: Autoencoder) -> float | None:
    """The sum of the learning rates of all steps: the farthest that Adam and its kin can move a weight, about.

    Their step is the rate times m/√v, which is near 1 in size where gradients agree and less where they do not (Kingma and
    Ba 2015, section 2.1).
    """
    count = steps(model)
    if count is None or model.train is None or isinstance(model.train.optimizer.lr, str):
        return None
    return model.train.optimizer.lr * count * mean_factor(model.train.schedule, model.train.epochs)


def pixels(model: Autoencoder) -> int:
    """The numbers in an image: what a summed loss is larger by than a mean."""
    return elements(model.input.shape)


def loss_scale(model: Autoencoder, loss: Loss) -> float:
    """What the loss is larger by than a plain mean over pixels: their number for ``reduction=sum``, times the weights."""
    weight = sum(term.weight for term in loss.terms)
    return weight * (pixels(model) if loss.reduction == "sum" else 1)


def gathered(optimizer: Optimizer) -> float:
    """How many times its rate SGD moves by where gradients agree: 1 / (1 - momentum)."""
    return 1 / (1 - optimizer.momentum)


def sgd_rate(model: Autoencoder, train: Train) -> float | None:
    """The rate of SGD as it acts: in units of squared error, averaged over pixels, behind a sigmoid, without momentum.

    rate · loss scale · curvature / (1 - momentum). None for losses and outputs whose curvature was not worked out, and
    for a rate that is still to be found.
    """
    layer = output_layer(model)
    if layer is None or len(train.loss.terms) != 1 or isinstance(train.optimizer.lr, str):
        return None
    name = train.loss.terms[0].name
    output = activation_of(layer).name
    curvature = CURVATURE.get((name, "sigmoid" if output == "sigmoid" else ""))
    if curvature is None:
        return None
    return train.optimizer.lr * gathered(train.optimizer) * loss_scale(model, train.loss) * curvature


def sgd_pace(model: Autoencoder, train: Train) -> float | None:
    """The same as it counts towards learning: a steeper output bears smaller rates, but learns no faster from them.

    On MNIST, 450 steps at 0.1 with momentum 0.9 left 0.51 of the variance behind a linear output, and at 0.2 0.44 behind a
    sigmoid; at 0.01, 0.03 and 0.3 the linear one left 0.97, 0.74 and 0.38.
    """
    rate, layer = sgd_rate(model, train), output_layer(model)
    if rate is None or layer is None or activation_of(layer).name == "sigmoid":
        return rate
    return rate / CURVATURE[train.loss.terms[0].name, ""]
