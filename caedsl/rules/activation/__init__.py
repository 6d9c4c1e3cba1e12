"""CAE4: the ranges of activations and of the output."""
