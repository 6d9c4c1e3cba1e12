"""The PyTorch backend: lower a model to constructor calls, render them as source, or build a module from them."""
