"""What can go wrong outside the program while a figure is made."""


class FigureError(Exception):
    """A figure could not be drawn or written; the message names the place and the remedy."""
