"""Callbacks of every run: records, progress, and reasons to stop."""

import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from caedsl.machine.signals import ending_signals
from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.file_names import ENVIRONMENT
from caedsl.runs.history import Step
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.state import RunState
from caedsl.training.checkpoints import Checkpoint, Checkpoints, RestoreCheckpoint, identity
from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.device import device_name
from caedsl.training.loop import Callback, Training
from caedsl.training.monitors.engine.watch import Watch, watch_run
from caedsl.training.pace import Pace
from caedsl.training.parallel.processes import LostError
from caedsl.training.reporter import Reporter


class EarlyStopping(Callback):
    """Early stopping after ``stop patience=`` epochs without improvement."""

    def on_start(self, training: Training) -> str | None:
        """Stop a resumed run whose patience is already used up."""
        return self.on_epoch(training) if training.history.epochs else None

    def on_epoch(self, training: Training) -> str | None:
        """Return "patience" if the best epoch is too long ago."""
        best, patience = training.history.best, training.settings.stop.patience
        waited = training.history.epochs[-1].epoch - best.epoch if best is not None else 0
        return "patience" if patience is not None and waited >= patience else None


class TimeLimit(Callback):
    """Time limit of ``stop after=``, which counts the time of all parts of a resumed run."""

    def on_start(self, training: Training) -> str | None:
        """Stop a resumed run that has no time left."""
        return self._over(training) if training.history.epochs else None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "time" once the time is up."""
        return self._over(training)

    def on_epoch(self, training: Training) -> str | None:
        """Return "time" once the time is up."""
        return self._over(training)

    def _over(self, training: Training) -> str | None:
        after = training.settings.stop.after
        return "time" if after is not None and training.seconds > after else None


class Interruption(Callback):
    """Handler of Ctrl-C, SIGTERM and SIGHUP that stops the run; a second Ctrl-C ends it at once.

    Further signals of other programs change nothing: a session that ends often sends several, and torchrun also ends
    the group when one process has failed. In a group of processes this holds for Ctrl-C too, so that they can still
    clean up after a failure. Outside the main thread, where no handler can be set, this callback does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._training: Training | None = None
        self._previous: dict[int, signal._HANDLER] = {}

    def on_start(self, training: Training) -> str | None:
        """Install the handlers of the signals."""
        self._training = training
        if threading.current_thread() is threading.main_thread():
            for number in ending_signals():
                self._previous[number] = signal.signal(number, self._note)
        return None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "interrupted" after a signal."""
        return "interrupted" if self.requested else None

    def on_epoch(self, training: Training) -> str | None:
        """Return "interrupted" after a signal."""
        return "interrupted" if self.requested else None

    def on_end(self, training: Training) -> None:
        """Restore the previous handlers."""
        if not isinstance(training.failure, LostError):
            self._restore(*self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._training is not None and self._training.processes.count == 1:
            self._training.reads_losses = True  # several processes read losses only at agreed steps
            self._restore(signal.SIGINT)

    def _restore(self, *numbers: int) -> None:
        for number in numbers:
            if number in self._previous:
                signal.signal(number, self._previous.pop(number))


class Agreement(Callback):
    """Exchange of the reason to stop between processes, so that all stop at the same step.

    Every process has this callback, after those that find reasons to stop and before those that act on them.
    """

    def on_start(self, training: Training) -> str | None:
        """Agree before the first step."""
        return self._agree(training)

    def on_step(self, training: Training, step: Step) -> str | None:
        """Agree whenever losses are read."""
        return self._agree(training)

    def on_epoch(self, training: Training) -> str | None:
        """Agree at the end of an epoch."""
        return self._agree(training)

    def _agree(self, training: Training) -> str | None:
        return training.processes.agreed(training.stop_reason)


class RunRecorder(Callback):
    """Recorder of the state and the history of a run in its folder."""

    def __init__(
        self,
        folder: RunFolder,
        state: RunState,
        watch: Watch,
        environment: dict[str, Any] | None = None,
    ) -> None:
        """Record in ``folder``, including the earlier findings of ``watch``.

        ``environment`` is given for a new run and written at its start; a folder that has it can be resumed.
        """
        self.folder = folder
        self.run_state = state
        self.watch = watch
        self.environment = environment

    def on_start(self, training: Training) -> str | None:
        """Write the records as of the start; lines of epochs that will be trained again are removed."""
        if self.environment is not None:
            self.folder.write_json(ENVIRONMENT, self.environment)
        self.folder.write_state(self.run_state)
        self.folder.write_history(training.history)
        self.folder.write_troubles(self.watch.troubles)
        return None

    def on_epoch(self, training: Training) -> str | None:
        """Append the epoch."""
        self.folder.append_epoch(training.history.epochs[-1])
        return None


class ShownProgress(Callback):
    """Display of a run through a ``Reporter``."""

    def __init__(self, reporter: Reporter, name: str) -> None:
        """Show the run of the model called ``name``."""
        self.reporter = reporter
        self.name = name

    def on_start(self, training: Training) -> str | None:
        """Report the model and the device, and where a resumed run continues."""
        settings = training.settings
        self.reporter.start(self.name, settings.epochs, where(training))
        if training.step:
            self.reporter.resumed(min(training.epoch, settings.epochs), training.step, training.steps)
        return None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Show the position."""
        self.reporter.step(step)
        return None

    def on_epoch(self, training: Training) -> str | None:
        """Show the epoch."""
        self.reporter.epoch(training.history.epochs[-1])
        return None

    def on_end(self, training: Training) -> None:
        """Remove the progress display, and report a compilation that failed."""
        self.reporter.end()
        if isinstance(training.network, CompiledNetwork) and training.network.failure:
            self.reporter.note(
                f"training without compilation, because PyTorch's compiler failed: {training.network.failure}"
            )


def where(training: Training) -> str:
    """Return a description of the device, the precision, the compilation and the processes of a run."""
    names = [device_name(training.train.device), training.precision.name]
    if isinstance(training.network, CompiledNetwork):
        names.append("compiled")
    if training.processes.count > 1:
        names.append(f"{training.processes.count} processes")
    return ", ".join(names)


def stopping() -> list[Callback]:
    """Return the callbacks that stop a run according to its settings."""
    return [EarlyStopping(), TimeLimit(), Agreement()]


@dataclass(frozen=True)
class Followed:
    """Part of a run that its callbacks need.

    ``spec_text`` is the spec in the run folder; ``shown_path`` is the path under which messages name the spec.
    """

    model: Autoencoder
    spec_text: str
    settings_text: str
    shown_path: str
    state: RunState


def all_callbacks(
    run: Followed,
    folder: RunFolder,
    reporter: Reporter,
    others: Sequence[Callback],
    checkpoint: Checkpoint | None = None,
    environment: dict[str, Any] | None = None,
) -> list[Callback]:
    """Return the callbacks of a run in order: those that find reasons to stop come before those that act on them.

    ``checkpoint`` is the state to resume from, ``environment`` the record of a new run.
    """
    watch = watch_run(run.model, run.spec_text, run.shown_path, folder, reporter)
    return [
        *restoring(checkpoint),
        watch,
        ShownProgress(reporter, run.model.name),
        *others,
        RunRecorder(folder, run.state, watch, environment),
        Interruption(),
        *stopping(),
        Checkpoints(folder, identity(run.spec_text, run.settings_text)),
        Pace(),
    ]


def restoring(checkpoint: Checkpoint | None) -> list[Callback]:
    """Return the callback that restores ``checkpoint``; an empty list without a checkpoint."""
    return [RestoreCheckpoint(checkpoint)] if checkpoint is not None else []
