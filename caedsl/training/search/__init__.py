"""Searches for the best settings of a run: batch size, learning rate, CPU threads, and whether to compile."""
