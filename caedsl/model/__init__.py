"""The model: frozen dataclasses and nothing else."""
