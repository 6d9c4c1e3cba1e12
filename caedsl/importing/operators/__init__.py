"""Graphs of PyTorch's operators, translated to layers."""
