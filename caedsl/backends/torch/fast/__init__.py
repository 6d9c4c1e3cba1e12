"""The faster form of a module on a CPU: what is computed stays, how it is computed changes."""

from caedsl.backends.torch.fast.rewrite import fast_form

__all__ = ["fast_form"]
