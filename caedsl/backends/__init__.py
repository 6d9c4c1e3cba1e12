"""Backends, which turn a model into code. There is one, for PyTorch."""
