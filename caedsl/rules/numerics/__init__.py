"""CAE8: initial weights, signals in deep networks, number formats."""
