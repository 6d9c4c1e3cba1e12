"""Checkpoints: the complete state of a run between two steps, from which it resumes bit for bit.

Weights, moments, averages and the history are tensors; the rest (counters, schedule, monitors) is a JSON text. Both are
stored in one safetensors file, the text in its header, so that they cannot get separated; a checksum covers both.
Random numbers have no state: they follow from the seed and the step. The file contains no code. The folder keeps the
last two checkpoints, so that one remains if the other is damaged.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from caedsl.resolve.merging.overrides import override
from caedsl.runs.confined import excess_of_record, has, read_file
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.file_names import CHECKPOINT, PREVIOUS_CHECKPOINT
from caedsl.runs.history import Step
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.schema import reason_of
from caedsl.runs.tensors import TensorFileError, read_tensors
from caedsl.source import Source
from caedsl.training.checkpoint_fit import misfit
from caedsl.training.epoch_table import from_table, to_table
from caedsl.training.loop import RESUMABLE, Callback, Training
from caedsl.training.schema import read_progress
from caedsl.training.weights import FileLimit

FORMAT = 4

SECONDS_BETWEEN_CHECKPOINTS = 10.0
MOST_OF_THE_TIME = 0.02
"""Largest share of a run's time spent on writing checkpoints; large models are therefore saved less often."""

_SHOWN = 60
"""Show at most this many characters of a value."""


class CheckpointError(Exception):
    """Checkpoint that cannot be used; the message says why, and the caller names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """State of a run: ``tensors`` by name in main memory, ``progress`` for JSON, and the identity of the ``run``."""

    tensors: dict[str, Tensor]
    progress: dict[str, Any]
    run: str

    def to_bytes(self) -> bytes:
        """Return the content of the file. Raise a ``TrainingError`` if the state of the callbacks is too large."""
        text = json.dumps({"format": FORMAT, "run": self.run, **self.progress})
        excess = excess_of_record(text.encode())
        if excess is not None:
            raise TrainingError(f"the state of a checkpoint has {excess}: return less from `state` of your callbacks")
        return save(self.tensors, metadata={"state": text, "sha256": _checksum(text, self.tensors)})

    def require_fit(self, training: Training, folder: Path) -> None:
        """Raise ``RunError`` if this is not a state of ``training``; a checksum detects damage, but not forgery."""
        reason = misfit(training, self.tensors, json.dumps({"format": FORMAT, "run": self.run, **self.progress}))
        if reason is not None:
            raise RunError(f"the checkpoint in {folder} belongs to another run ({reason}): start a new run")

    @classmethod
    def read(cls, folder: Path, name: str, most: FileLimit) -> "Checkpoint":
        """Read a checkpoint within the limit ``most``.

        Raise ``CheckpointError`` if it is missing, unreadable, damaged or of another format.
        """
        try:
            tensors, header = read_tensors(read_file(folder, name, most.size), most.tensors)
        except FileNotFoundError:
            raise CheckpointError("it does not exist") from None
        except OSError as error:
            raise CheckpointError(f"it cannot be read ({error.strerror or error})") from error
        except TensorFileError as error:
            raise CheckpointError(f"it is truncated or damaged ({error})") from error
        text = header.get("state", "")
        excess = excess_of_record(text.encode())
        if excess is not None:
            raise CheckpointError(f"its state has {excess}")
        if header.get("sha256") != _checksum(text, tensors):
            raise CheckpointError("it is damaged: its checksum does not match")
        try:
            progress = read_progress(text)
        except ValueError as error:
            raise CheckpointError(f"it was written by another version of caedsl ({reason_of(error)})") from error
        if progress.format != FORMAT:
            raise CheckpointError("it was written by another version of caedsl")
        return cls(tensors, json.loads(text), progress.run)


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def capture(training: Training, run: str) -> Checkpoint:
    """Return the current state of ``training``; waits for the device. ``run`` is the run's ``identity``."""
    tensors = {f"weights.{name}": value for name, value in training.module.state_dict().items()}
    if training.history.epochs:
        tensors["history"] = to_table(training.history)
        tensors |= {f"best.{name}": value for name, value in training.best_weights.items()}
    for number, state in training.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": value for key, value in state.items() if isinstance(value, Tensor)}
    if training.average is not None:
        tensors |= {f"average.{number}": value for number, value in enumerate(training.average.averages)}
    if training.ledger is not None:
        tensors["ledger"] = training.ledger.entries()
    plateau = training.plateau
    progress = {
        "epoch": training.epoch,
        "step": training.step,
        "seconds": training.seconds,
        "ended": training.history.ended,
        "epochs": len(training.history.epochs),
        "steps": len(tensors["ledger"]) if training.ledger is not None else None,
        "plateau": {"factor": plateau.factor, "best": plateau.best, "waited": plateau.waited},
        "averaged": training.average.updates if training.average is not None else None,
        "scaler": training.scaler.state_dict(),
        "terms": list(training.objective.names),
        "callbacks": _callback_states(training),
    }
    plain = {name: _plain(value) for name, value in tensors.items()}
    return Checkpoint(plain, progress, run)


def _plain(value: Tensor) -> Tensor:
    """Copy a tensor to main memory, contiguous and with its own storage."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


@torch.no_grad()
def restore(training: Training, checkpoint: Checkpoint) -> None:
    """Restore ``training`` from ``checkpoint``; call it within ``Training.run``."""
    tensors, progress = checkpoint.tensors, checkpoint.progress
    training.module.load_state_dict(_part(tensors, "weights."))
    _restore_optimizer(training, tensors)
    if training.average is not None:
        for number, average in enumerate(training.average.averages):
            average.copy_(tensors[f"average.{number}"])
        training.average.updates = progress["averaged"]
    training.scaler.load_state_dict(progress["scaler"])
    for name, value in progress["plateau"].items():
        setattr(training.plateau, name, value)
    training.epoch, training.step = progress["epoch"], progress["step"]
    training.started = time.monotonic() - progress["seconds"]
    if progress["epochs"]:
        training.history.epochs = list(from_table(tensors["history"], training.history))
    training.last_weights = training.weights()
    training.best_weights = _part(tensors, "best.") or training.last_weights
    if progress["steps"] is not None:
        training.resume_epoch(tensors["ledger"])
    states = {name: list(saved) for name, saved in progress["callbacks"].items()}
    for callback in training.callbacks:
        saved = states.get(type(callback).__name__)
        if saved:
            callback.restore(saved.pop(0))


def _callback_states(training: Training) -> dict[str, list[dict[str, Any]]]:
    """Return the states of the callbacks that have one, by class name and in order.

    Raise a ``TrainingError`` that names the callback and the value if JSON cannot hold a state.
    """
    states: dict[str, list[dict[str, Any]]] = {}
    for callback in training.callbacks:
        state, name = callback.state(), type(callback).__name__
        if state is None:
            continue
        for problem in _not_json(state, f"{name}.state()"):
            raise TrainingError(f"a checkpoint cannot hold {problem}: return JSON values from `{name}.state`")
        states.setdefault(name, []).append(state)
    return states


def _not_json(value: object, place: str) -> Iterator[str]:
    """Yield what JSON cannot hold in ``value``, which is found at ``place``."""
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                yield f"the key {key!r} in {place}, which is not a string"
            yield from _not_json(part, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _not_json(part, f"{place}[{number}]")
    elif not isinstance(value, str | int | float | None):
        shown = " ".join(repr(value).split())
        yield f"{place}, {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'} of type {type(value).__name__}"


def _restore_optimizer(training: Training, tensors: Mapping[str, Tensor]) -> None:
    weights = [weight for group in training.optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimizer.").items():
        number, key = name.split(".")
        weight = weights[int(number)]
        # The fused step needs moments in the memory layout of their weights (channels last).
        laid_out = torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value
        state.setdefault(int(number), {})[key] = laid_out
    training.optimizer.load_state_dict({**training.optimizer.state_dict(), "state": state})


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class Checkpoints(Callback):
    """Writer of checkpoints, at intervals and when a run stops.

    It comes after the callbacks that find reasons to stop and write records, so that it saves what they have done.
    """

    def __init__(self, folder: RunFolder, run: str) -> None:
        """Save to ``folder``; ``run`` is the run's ``identity``."""
        self.folder = folder
        self.run = run
        self._due = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS

    def on_step(self, training: Training, step: Step) -> None:
        """Save within an epoch if a checkpoint is due, or if the run stops and can be resumed."""
        assert training.ledger is not None
        if training.ledger.steps < training.steps_per_epoch:
            self._save_if(training, training.stop_reason in RESUMABLE)

    def on_epoch(self, training: Training) -> None:
        """Save after a complete epoch if a checkpoint is due."""
        if training.ledger is None:
            self._save_if(training, False)

    def on_end(self, training: Training) -> None:
        """Save the final state, except after a failure or within an epoch that can still be completed."""
        if training.failure is None and (training.ledger is None or training.history.ended not in RESUMABLE):
            self._save_if(training, True)

    def _save_if(self, training: Training, now: bool) -> None:
        begun = time.monotonic()
        if not now and begun < self._due:
            return
        self._write(capture(training, self.run))
        if training.history.epochs:
            self.folder.write_learned(training.best_weights, training.last_weights)
        ended = time.monotonic()
        self._due = ended + max(SECONDS_BETWEEN_CHECKPOINTS, (ended - begun) / MOST_OF_THE_TIME)

    def _write(self, checkpoint: Checkpoint) -> None:
        self.folder.write_bytes(f"{CHECKPOINT}.new", checkpoint.to_bytes())
        if has(self.folder.path, CHECKPOINT):
            self.folder.rename(CHECKPOINT, PREVIOUS_CHECKPOINT)
        self.folder.rename(f"{CHECKPOINT}.new", CHECKPOINT)


class RestoreCheckpoint(Callback):
    """Restorer of a saved state before the first step; it comes first, since other callbacks need the state."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Start from ``checkpoint``."""
        self.checkpoint = checkpoint

    def on_start(self, training: Training) -> None:
        """Restore the run and the callbacks that have a saved state."""
        restore(training, self.checkpoint)


def latest(folder: Path, run: str, most: FileLimit) -> tuple[Checkpoint | None, str | None]:
    """Return the newest usable checkpoint of ``folder``, and a note if it is not the last one written.

    The checkpoint is None if none was written yet. Raise ``RunError`` if no checkpoint is usable, or if it belongs to
    another run than ``run``. ``most`` is the limit for a checkpoint of this run.
    """
    if not has_checkpoint(folder):
        return None, "there is no checkpoint yet: starting from the beginning"
    problems = []
    for name in (CHECKPOINT, PREVIOUS_CHECKPOINT):
        try:
            checkpoint = Checkpoint.read(folder, name, most)
        except CheckpointError as error:
            problems.append(f"{folder / name} cannot be used: {error}")
            continue
        if checkpoint.run != run:
            raise RunError(
                f"{folder / name} belongs to another run: the spec or the settings in {folder} have changed since "
                "then; restore them, or start a new run"
            )
        return checkpoint, f"{problems[0]}; resuming from {name}" if problems else None
    raise RunError(f"{'; '.join(problems)}; no checkpoint is left to resume from: start a new run")


def has_checkpoint(folder: Path) -> bool:
    """Return whether the folder has a checkpoint."""
    return any(has(folder, name) for name in (CHECKPOINT, PREVIOUS_CHECKPOINT))


def identity(spec_text: str, settings_text: str) -> str:
    """Return the hash that identifies the checkpoints of a run: of spec and settings, without the number of epochs."""
    settings = {**json.loads(settings_text), "epochs": 0}
    spec = override(Source(spec_text), {"train.epochs": "1"}).text
    return sha256(f"{spec}\n{json.dumps(settings, sort_keys=True)}".encode()).hexdigest()
