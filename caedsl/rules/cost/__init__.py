"""CAE9: size, memory and time."""
