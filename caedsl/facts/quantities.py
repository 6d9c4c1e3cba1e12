"""Measures of the quantities that ``require`` can bound."""

from collections.abc import Callable, Mapping

from caedsl.facts.cost import total_macs, total_parameters, training_memory
from caedsl.facts.receptive_field import code_field
from caedsl.model.autoencoder import Autoencoder

MEASURES: Mapping[str, Callable[[Autoencoder], float]] = {
    "compression": lambda model: model.compression,
    "parameters": total_parameters,
    "macs": total_macs,
    "receptive_field": lambda model: min(code_field(model)),
    "memory": training_memory,
}
"""How each name of ``caedsl.vocabulary.quantities`` is computed (memory in bytes, for one training step)."""
