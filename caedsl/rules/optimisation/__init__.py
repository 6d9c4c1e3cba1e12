"""CAE5: learning rate, steps, batch size and optimizer."""
