"""Published autoencoders: each original built by hand, and the spec that must say the same."""
