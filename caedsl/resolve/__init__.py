"""Resolution of a syntax tree to an ``Autoencoder`` with all sizes known."""
