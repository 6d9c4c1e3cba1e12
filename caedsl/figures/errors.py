"""Error of a figure that cannot be drawn or written."""


class FigureError(Exception):
    """Figure that could not be drawn or written; the message names the place and the remedy."""
