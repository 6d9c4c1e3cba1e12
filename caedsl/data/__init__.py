"""Images: found, read, fitted to a spec's input, split, corrupted, augmented."""
