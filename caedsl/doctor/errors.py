"""What keeps an examination from being made."""

from caedsl.runs.errors import TrainingError


class DoctorError(TrainingError):
    """A subject that cannot be examined; the message says why, and what to do."""
