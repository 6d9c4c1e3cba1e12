"""Searches for numbers that a spec leaves to be found: the batch size and the learning rate."""
