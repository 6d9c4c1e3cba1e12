"""CAE8: initial weights, signal in depth, number formats."""
