"""Errors of a run; each message is written for the person who started it."""

from caedsl.diagnostics.messages import MessageError


class TrainingError(MessageError):
    """Training that cannot start or continue; the message names the place, the value and the remedy."""


class RunError(TrainingError):
    """Run folder that cannot be created, read or written."""
