"""Edits from which fixes are made."""
