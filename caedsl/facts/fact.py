"""Facts: what rules ask about a model, computed once per model however many rules ask."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from caedsl.model.autoencoder import Autoencoder

Value = TypeVar("Value")


def fact(compute: Callable[[Autoencoder], Value]) -> Callable[[Autoencoder], Value]:
    """Return ``compute`` with its result cached on the model."""
    # Outside the fields, as functools.cached_property does: equality, copies and JSON do not see it.
    return _cached(compute, lambda model: model.__dict__)


def network_fact(compute: Callable[[Autoencoder], Value]) -> Callable[[Autoencoder], Value]:
    """Return ``compute`` with its result cached for all models with the same network.

    ``compute`` may read only the input, the target and the layers.
    """
    return _cached(compute, lambda model: model.network_facts)


def _cached(
    compute: Callable[[Autoencoder], Value], place: Callable[[Autoencoder], dict[str, Value]]
) -> Callable[[Autoencoder], Value]:
    key = f"{compute.__module__}.{compute.__qualname__}"

    @wraps(compute)
    def known(model: Autoencoder) -> Value:
        kept = place(model)
        if key not in kept:
            kept[key] = compute(model)
        return kept[key]

    return known
