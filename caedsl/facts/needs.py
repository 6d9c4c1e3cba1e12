"""Whether a model fits into memory at all: its memory with the smallest batch."""

from dataclasses import replace

from caedsl.facts.cost import training_memory
from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train

TERABYTE = 10**12
"""More than three times what the largest accelerators hold."""


@fact
def least_memory(model: Autoencoder) -> int:
    """Return the bytes that a training step on one image needs."""
    return training_memory(model, replace(model.train or Train(), batch=1))


def beyond_machines(model: Autoencoder) -> bool:
    """Return whether even a batch of one is too large; nothing else about its cost matters then."""
    return least_memory(model) > TERABYTE
