"""Facts: what rules ask about a model, computed once per model however many rules ask."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from caedsl.model.autoencoder import Autoencoder

Value = TypeVar("Value")


def fact(compute: Callable[[Autoencoder], Value]) -> Callable[[Autoencoder], Value]:
    """Return ``compute`` with its result cached on the model."""
    key = f"{compute.__module__}.{compute.__qualname__}"

    @wraps(compute)
    def known(model: Autoencoder) -> Value:
        # Outside the fields, as functools.cached_property does: equality, copies and JSON do not see it.
        kept = model.__dict__
        if key not in kept:
            kept[key] = compute(model)
        value: Value = kept[key]
        return value

    return known
