"""The callbacks of every run: its records, its progress, and the reasons to stop."""

import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.files import ENVIRONMENT
from caedsl.runs.folder import RunFolder
from caedsl.runs.history import Step
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
    """Stop after ``stop patience=`` epochs without a better one."""

    def on_start(self, training: Training) -> str | None:
        """Stop a resumed run that has nothing left to do."""
        return self.on_epoch(training) if training.history.epochs else None

    def on_epoch(self, training: Training) -> str | None:
        """Return "patience" where the last epoch is too far from the best one."""
        best, patience = training.history.best, training.settings.stop.patience
        waited = training.history.epochs[-1].epoch - best.epoch if best is not None else 0
        return "patience" if patience is not None and waited >= patience else None


class TimeLimit(Callback):
    """Stop once ``stop after=`` has passed, the time of all parts of a resumed run together."""

    def on_start(self, training: Training) -> str | None:
        """Stop a resumed run that has no time left."""
        return self._over(training) if training.history.epochs else None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "time" where the time has passed."""
        return self._over(training)

    def on_epoch(self, training: Training) -> str | None:
        """Return "time" where the time has passed."""
        return self._over(training)

    def _over(self, training: Training) -> str | None:
        after = training.settings.stop.after
        return "time" if after is not None and training.seconds > after else None


class Interruption(Callback):
    """Stop after Ctrl-C or SIGTERM; a second Ctrl-C ends the run at once.

    In a group of processes signals come more than once: from the person, and from torchrun, which also ends a group of
    which one has failed. There a second one changes nothing, and what is left to do after a failure is done. Outside
    the main thread, where no handler can be set, this does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._training: Training | None = None
        self._previous: dict[int, signal._HANDLER] = {}

    def on_start(self, training: Training) -> str | None:
        """Take over both signals."""
        self._training = training
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "interrupted" after a signal."""
        return "interrupted" if self.requested else None

    def on_epoch(self, training: Training) -> str | None:
        """Return "interrupted" after a signal."""
        return "interrupted" if self.requested else None

    def on_end(self, training: Training) -> None:
        """Put the handlers back."""
        if not isinstance(training.failure, LostError):
            self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._training is not None and self._training.processes.count == 1:
            self._training.reads_losses = True  # several processes read them at steps that all have agreed on
            self._restore()

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())


class Agreement(Callback):
    """Share a reason to stop with the other processes, so that all stop at the same step.

    Every process has one, behind those that find reasons and before those that act on them.
    """

    def on_start(self, training: Training) -> str | None:
        """Agree before the first step."""
        return self._agree(training)

    def on_step(self, training: Training, step: Step) -> str | None:
        """Agree where losses are read."""
        return self._agree(training)

    def on_epoch(self, training: Training) -> str | None:
        """Agree at the end of an epoch."""
        return self._agree(training)

    def _agree(self, training: Training) -> str | None:
        return training.processes.agreed(training.stop_reason)


class RunRecorder(Callback):
    """Write the state and the history of a run into its folder as it proceeds."""

    def __init__(
        self,
        folder: RunFolder,
        state: RunState,
        watch: Watch,
        environment: dict[str, Any] | None = None,
    ) -> None:
        """Record in ``folder``, also what ``watch`` has found so far.

        ``environment`` is written where the run is new: a folder that has it can be resumed.
        """
        self.folder = folder
        self.run_state = state
        self.watch = watch
        self.environment = environment

    def on_start(self, training: Training) -> str | None:
        """Write what is known at the start; lines of epochs that will come again are removed."""
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
    """Show a run through a ``Reporter``."""

    def __init__(self, reporter: Reporter, name: str) -> None:
        """Show the run of the model called ``name``."""
        self.reporter = reporter
        self.name = name

    def on_start(self, training: Training) -> str | None:
        """Say what is trained on what, and where a resumed run continues."""
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
        """Remove what moves, and say whether the network was compiled where that was tried."""
        self.reporter.end()
        if isinstance(training.network, CompiledNetwork) and training.network.failure:
            self.reporter.note(f"trained uncompiled, since PyTorch's compiler failed: {training.network.failure}")


def where(training: Training) -> str:
    """Name the device and the precision of a run, and how many processes share it."""
    names = [device_name(training.train.device), training.precision.name]
    if isinstance(training.network, CompiledNetwork):
        names.append("compiled")
    if training.processes.count > 1:
        names.append(f"{training.processes.count} processes")
    return ", ".join(names)


def stopping() -> list[Callback]:
    """Return the callbacks that stop a run as its settings say."""
    return [EarlyStopping(), TimeLimit(), Agreement()]


@dataclass(frozen=True)
class Followed:
    """What callbacks know of a run: its spec as ``spec_text`` in the folder, which people know as ``shown_path``."""

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
    """Return the callbacks of a run in their order: those that find reasons to stop before those that act on them.

    ``checkpoint`` is the state that the run resumes from, ``environment`` the record of a new run.
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
    """Return what restores ``checkpoint``, nothing without one."""
    return [RestoreCheckpoint(checkpoint)] if checkpoint is not None else []
