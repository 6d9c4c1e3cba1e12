"""Stacks: the samples of a source, read in blocks, kept in memory or read on demand."""
