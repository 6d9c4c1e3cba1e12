"""CAE2: sizes and channels."""
