"""Samples: found, read, resized to a spec's input, split, corrupted and augmented."""
