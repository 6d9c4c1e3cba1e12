"""Training: the loop, losses and penalties, precision, and the run folder."""
