"""CAE2: sizes and channels: what fits, what is cut, what does not come back."""
