"""Carry out a run that is ready to start, and record in its folder how it ends."""

import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import torch
from torch import nn

from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Settled
from caedsl.runs.confined import has
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.file_names import BEST
from caedsl.runs.history import History
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.state import FAILED, FINISHED, INTERRUPTED, STOPPED, RunState
from caedsl.training.batches import Batches
from caedsl.training.callbacks import Interruption, restoring, stopping
from caedsl.training.checkpoints import Checkpoint, has_checkpoint
from caedsl.training.loop import Training
from caedsl.training.parallel.processes import PartDoneError
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter
from caedsl.training.search.trials import naming_what_fits

_STATES = {"interrupted": INTERRUPTED, "trouble": STOPPED}
"""State of a run by the reason why it ended; every other reason means ``FINISHED``."""


@dataclass(frozen=True)
class Run:
    """Finished run: ``module`` has the best weights and is in eval mode."""

    folder: RunFolder
    model: Autoencoder
    settings: Settled
    module: nn.Module
    train: Batches
    validation: Batches | None
    test: Batches | None
    pixels: PixelRange
    history: History
    threads: int | None = None
    """Number of CPU threads, or None for PyTorch's."""

    @property
    def held_out(self) -> tuple[str, Batches]:
        """Name and images of the evaluated part: test, else validation, else training."""
        if self.test is not None:
            return "test", self.test
        return ("validation", self.validation) if self.validation is not None else ("training", self.train)


def carry_out(training: Training, folder: RunFolder, state: RunState, reporter: Reporter) -> None:
    """Run ``training``, and record in ``folder`` the weights and the state, however the run ends."""
    training.folder, training.note = folder, reporter.note
    try:
        with naming_what_fits(training):
            training.run()
        if training.history.epochs:
            folder.write_learned(training.best_weights, training.last_weights)
        folder.write_state(replace(state, state=_STATES.get(training.history.ended, FINISHED)))
    except BaseException as error:
        weights = ""
        if training.history.epochs:
            _save_what_was_learned(training, folder, state, error)
            place = f"are in {folder.path}" if has(folder.path, BEST) else "could not be saved"
            weights = f"; the best weights before it {place}"
        if isinstance(error, DataError) or (weights and isinstance(error, TrainingError)):
            kind = DataError if isinstance(error, DataError) else type(error)
            *before, last = error.lines
            raise kind(*before, f"{last}{weights}{_resume_hint(folder)}") from error
        if isinstance(error, KeyboardInterrupt) and weights:
            reporter.note(f"interrupted at once{weights}{_resume_hint(folder)}")
        raise


def accompany(training: Training, checkpoint: Checkpoint | None = None) -> NoReturn:
    """Train together with the first process, which keeps the records; end with ``PartDoneError``."""
    training.callbacks = [*restoring(checkpoint), Interruption(), *stopping()]
    training.run()
    raise PartDoneError


def _save_what_was_learned(training: Training, folder: RunFolder, state: RunState, error: BaseException) -> None:
    """Write the best and last weights, which remain valid after any failure, and keep the last checkpoint unchanged."""
    interrupted = isinstance(error, KeyboardInterrupt)
    with suppress(RunError):
        folder.write_learned(training.best_weights, training.last_weights)
    with suppress(RunError):
        folder.write_state(
            replace(state, state=INTERRUPTED if interrupted else FAILED, error=None if interrupted else str(error))
        )


def _resume_hint(folder: RunFolder) -> str:
    return (
        f"; resume from its last checkpoint with: {resume_command(folder.path)}" if has_checkpoint(folder.path) else ""
    )


def resume_command(path: Path) -> str:
    """Return the command that resumes the run in ``path``."""
    return f"caedsl train --resume {shlex.quote(str(path))}"


def finished(training: Training, folder: RunFolder, model: Autoencoder, images: Images) -> Run:
    """Return the finished run."""
    target = training.train.device
    return Run(
        folder=folder,
        model=model,
        settings=training.settings,
        module=training.module,
        train=training.train,
        validation=training.validation,
        test=_test(images, target),
        pixels=training.objective.pixels,
        history=training.history,
        threads=training.threads,
    )


def _test(images: Images, device: torch.device) -> Batches | None:
    if images.test_pixels is None:
        return None
    return Batches(images.test_pixels, device=device, targets=images.test_targets, labels=images.test_labels)
