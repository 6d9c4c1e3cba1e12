"""Quantities that ``require`` can bound."""

QUANTITIES = ("compression", "parameters", "macs", "receptive_field", "memory")
"""The name of each quantity; ``caedsl.facts.quantities`` measures them."""
