"""Errors of a run; each message is written for the person who started it."""


class TrainingError(Exception):
    """Training cannot start or cannot go on; the message names the place, the value and the remedy."""


class RunError(TrainingError):
    """A run folder cannot be made, read or written."""
