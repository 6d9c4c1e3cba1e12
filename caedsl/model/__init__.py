"""The model: frozen dataclasses only."""
