"""Error of a figure that cannot be drawn or written."""

from caedsl.diagnostics.messages import MessageError


class FigureError(MessageError):
    """Figure that could not be drawn or written; the message names the place and the remedy."""
