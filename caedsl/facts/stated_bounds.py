"""Bounds that the author sets in ``require``: a rule is silent where one of them replaces its heuristic."""

from caedsl.model.autoencoder import Autoencoder


def bounded_below(model: Autoencoder, quantity: str) -> bool:
    """Return whether the author has set a lower bound on the quantity."""
    return any(bound.quantity == quantity and bound.low is not None for bound in model.require)


def bounded_above(model: Autoencoder, quantity: str) -> bool:
    """Return whether the author has set an upper bound on the quantity."""
    return any(bound.quantity == quantity and bound.high is not None for bound in model.require)
