"""Readers: one file for each source of a ``data`` line, and their interface."""
