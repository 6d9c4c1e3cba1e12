"""Those who look on while a run goes on, such as the one that draws a picture of each epoch."""

from caedsl.runs.folder import RunFolder
from caedsl.training.loop import Training


class Observer:
    """Looks at a run and leaves it as it was, its random streams too; this one does nothing.

    An observer does what a run that was never interrupted would have had it do, whenever the run was killed: an epoch
    that is lost comes again, after ``begin``.
    """

    def open(self, folder: RunFolder) -> None:
        """Make the place for what will be left in ``folder``; before the run writes what it can be resumed from."""

    def begin(self, training: Training) -> None:
        """Training begins, or goes on after the epochs in ``training.history``; what was left of later ones is void."""

    def epoch(self, training: Training) -> None:
        """The last epoch of ``training.history`` is over, and no checkpoint has it yet: leave it on the disk now."""

    def close(self) -> None:
        """Training is over, in whatever way."""
