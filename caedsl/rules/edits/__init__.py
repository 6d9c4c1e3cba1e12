"""Edits that fixes are made of."""
