"""Costs of a model: parameters, multiply-accumulates, memory of a training step."""

from collections.abc import Sequence

from caedsl.facts.fact import fact, network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements

BYTES = 4
"""Size of a number in fp32."""

TERABYTE = 10**12
"""More than three times what the largest accelerators hold."""


def parameters(layers: Sequence[Layer]) -> int:
    """Return the number of parameters of these layers, including those inside groups."""
    return sum(layer.parameters for outer in layers for layer in outer.walk())


def macs(layers: Sequence[Layer]) -> int:
    """Return the multiply-accumulates of these layers for one sample."""
    return sum(layer.macs for outer in layers for layer in outer.walk())


@network_fact
def total_parameters(model: Autoencoder) -> int:
    """Return the number of parameters of the whole model."""
    return sum(parameters(layers) for _, layers in model.parts)


def total_macs(model: Autoencoder) -> int:
    """Return the multiply-accumulates of the whole model for one sample."""
    return sum(macs(layers) for _, layers in model.parts)


def training_memory(model: Autoencoder, settings: Train | None = None) -> int:
    """Estimate the memory that one training step needs, in bytes (within about 30 %).

    In fp32: for each parameter its weight, its gradient and the optimizer's states; for each sample of the batch every
    layer's output and that output's gradient. With ``batch auto`` it is the memory for one sample.
    """
    settings = settings or model.train or Train()
    batch = 1 if isinstance(settings.batch, str) else -(-settings.batch // settings.accumulate)
    return _memory(model, settings, batch)


def _memory(model: Autoencoder, settings: Train, samples: int) -> int:
    """Return the bytes of a training step on this many samples."""
    states = settings.optimizer.kind.states(settings.optimizer.options)
    return BYTES * (total_parameters(model) * (2 + states) + 2 * samples * _outputs(model))


@network_fact
def _outputs(model: Autoencoder) -> int:
    """Return how many numbers the layers return for one sample, and the sample itself has."""
    return elements(model.input.shape) + sum(elements(layer.out_shape) for _, layer in model.layers())


@fact
def least_memory(model: Autoencoder) -> int:
    """Return the bytes that a training step on a single sample needs."""
    return _memory(model, model.train or Train(), 1)


def beyond_machines(model: Autoencoder) -> bool:
    """Return whether no machine has the memory for a batch of one; nothing else about its cost matters then."""
    return least_memory(model) > TERABYTE
