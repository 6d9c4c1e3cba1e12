"""Facts that follow from a model: cost, sizes, receptive field, signal, reachable output."""
