"""Running, verifying, allowing, configuring and documenting rules."""
