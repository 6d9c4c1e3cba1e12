"""Monitors for custom training loops: any PyTorch module and optimizer, Lightning, and Keras."""
