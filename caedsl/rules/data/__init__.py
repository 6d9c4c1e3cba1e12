"""CAE6: images, their number and their values."""
