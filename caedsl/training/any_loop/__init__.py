"""The monitors in anybody's loop: any PyTorch module and optimizer, Lightning, and Keras."""
