"""The checkpoints of a run folder: the last one and the one before, so that one good one is always there."""

import os
import time
from pathlib import Path

from caedsl.runs.errors import RunError
from caedsl.runs.files import CHECKPOINT, PREVIOUS_CHECKPOINT
from caedsl.runs.folder import RunFolder
from caedsl.training.checkpoint import Checkpoint, CheckpointError, capture
from caedsl.training.loop import Training

SECONDS_BETWEEN_CHECKPOINTS = 10.0
MOST_OF_THE_TIME = 0.02
"""The share of a run that may go into writing checkpoints: large models are kept less often."""


class Checkpoints:
    """Keeps the state of a run: now and then, and when it is told to."""

    def __init__(self, folder: RunFolder, run: str) -> None:
        self.folder = folder
        self.run = run
        self._due = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS

    def keep(self, training: Training, now: bool) -> None:
        """Write the state and what was learned, if the last time is a while ago or if it must be ``now``."""
        begun = time.monotonic()
        if not now and begun < self._due:
            return
        self._write(capture(training, self.run))
        if training.history.epochs:
            self.folder.write_learned(training.best_weights, training.last_weights)
        ended = time.monotonic()
        self._due = ended + max(SECONDS_BETWEEN_CHECKPOINTS, (ended - begun) / MOST_OF_THE_TIME)

    def _write(self, checkpoint: Checkpoint) -> None:
        last, previous = self.folder.path / CHECKPOINT, self.folder.path / PREVIOUS_CHECKPOINT
        fresh = self.folder.write_bytes(f"{CHECKPOINT}.new", checkpoint.to_bytes())
        try:
            if last.exists():
                os.replace(last, previous)
            os.replace(fresh, last)
        except OSError as error:
            raise RunError(f"cannot write {last}: {error.strerror}") from error


def latest(folder: Path, run: str) -> tuple[Checkpoint | None, str | None]:
    """The newest good checkpoint of ``folder``, and a note where that is not the last one written.

    None where none was written yet. A ``RunError`` where none is good, or where it is not of ``run``.
    """
    if not has_checkpoint(folder):
        return None, "no checkpoint was written yet: starting from the beginning"
    problems = []
    for name in (CHECKPOINT, PREVIOUS_CHECKPOINT):
        try:
            checkpoint = Checkpoint.read(str(folder / name))
        except CheckpointError as error:
            problems.append(f"{folder / name} cannot be used: {error}")
            continue
        if checkpoint.run != run:
            raise RunError(
                f"{folder / name} belongs to another run: the spec or the settings in {folder} were changed since it was "
                "written; put them back, or start a new run"
            )
        return checkpoint, f"{problems[0]}; going on from {name}" if problems else None
    raise RunError(f"{'; '.join(problems)}; there is nothing to go on from: start a new run")


def has_checkpoint(folder: Path) -> bool:
    """Whether there is something to go on from."""
    return any((folder / name).exists() for name in (CHECKPOINT, PREVIOUS_CHECKPOINT))
