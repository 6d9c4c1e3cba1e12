"""CAE1: what a spec says: syntax, names, values, statements. The compiler itself reports these."""
