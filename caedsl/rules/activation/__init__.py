"""CAE4: what activations let through, and what the output can reach."""
