"""Whether a model can be held at all: its need of memory with the smallest batch there is."""

from dataclasses import replace

from caedsl.facts.cost import training_memory
from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train

TERABYTE = 10**12
"""More than three times what the largest accelerators hold."""


@fact
def least_memory(model: Autoencoder) -> int:
    """Bytes that a training step on one image needs."""
    return training_memory(model, replace(model.train or Train(), batch=1))


def beyond_machines(model: Autoencoder) -> bool:
    """Whether no batch is small enough; of its cost nothing more needs to be said then."""
    return least_memory(model) > TERABYTE
