"""caedsl: a declarative language and compiler for convolutional autoencoders."""
