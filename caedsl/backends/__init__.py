"""Backends: what a model becomes. There is one, for PyTorch."""
