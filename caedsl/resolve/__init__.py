"""From a syntax tree to an ``Autoencoder`` whose every size is known."""
