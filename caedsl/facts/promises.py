"""What ``require`` already holds: where the author has set a bound, a rule of thumb has nothing to add."""

from caedsl.model.autoencoder import Autoencoder


def bounded_below(model: Autoencoder, quantity: str) -> bool:
    """Whether the author has said how small the quantity may be."""
    return any(bound.quantity == quantity and bound.low is not None for bound in model.require)


def bounded_above(model: Autoencoder, quantity: str) -> bool:
    """Whether the author has said how large the quantity may be."""
    return any(bound.quantity == quantity and bound.high is not None for bound in model.require)
