"""Errors that prevent an examination."""

from caedsl.runs.errors import TrainingError


class DoctorError(TrainingError):
    """Subject that cannot be examined; the message says why, and what to do."""
