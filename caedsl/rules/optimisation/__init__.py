"""CAE5: learning rate, steps, batch and optimiser."""
