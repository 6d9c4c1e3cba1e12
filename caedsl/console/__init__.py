"""Console output: what a run shows on a terminal or writes to a log."""
