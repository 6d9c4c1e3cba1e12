"""Quantities that ``require`` can bound."""

QUANTITIES = ("compression", "parameters", "macs", "receptive_field", "memory")
"""Names of the quantities; ``caedsl.facts.quantities`` computes them."""
