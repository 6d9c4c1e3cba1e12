"""Errors outside the program while a figure is made."""


class FigureError(Exception):
    """Figure that could not be drawn or written; the message names the place and the remedy."""
