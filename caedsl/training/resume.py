"""Resume a run from its last checkpoint."""

import json
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import torch

from caedsl.data.images import Images
from caedsl.diagnostics.text import counted
from caedsl.facts.settings_text import fault_of
from caedsl.model.settings import On
from caedsl.resolve.merging.overrides import override
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.file_names import SETTINGS, SPEC
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.schema import RecordError, read_metrics, read_state
from caedsl.runs.state import RunState
from caedsl.source import Source
from caedsl.training.callbacks import Followed, all_callbacks
from caedsl.training.checkpoints import Checkpoint, identity, latest
from caedsl.training.device import choose_device
from caedsl.training.environment import differences, environment_of
from caedsl.training.loop import Callback, Training
from caedsl.training.parallel.processes import current
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run, accompany, carry_out, finished
from caedsl.training.search.compilation import choose_compilation
from caedsl.training.search.threads import resume_threads
from caedsl.training.stored_run import StoredRun, open_run
from caedsl.training.train import prepare_training
from caedsl.training.weights import largest_file
from caedsl.version import __version__


def resume(
    path: str | Path,
    *,
    epochs: int | None = None,
    on_trouble: str | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    data_root: str | Path | None = None,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Resume the run in the folder ``path``; it ends as if it had never been interrupted.

    On a CPU the weights are then the same bit for bit. ``device`` is by default the device that the run began on, if it
    is available; another type of device rounds differently. ``epochs`` is a new, larger number of epochs; the
    result is that of a run which had it from the start. ``on_trouble`` (``warn`` or ``stop``) is the reaction to new
    findings of monitors; earlier findings are not reported again. ``data_dir`` is the current folder of datasets,
    ``data_root`` a folder that no path of the run may leave. Errors are those of ``caedsl.training.train.train``; they
    leave the folder unchanged.
    """
    reporter = reporter or Reporter()
    stored = open_run(Path(path), data_dir)
    _check_version(stored, reporter)
    folder = RunFolder(stored.path)
    with folder.locked() if current().first else nullcontext():
        stored, checkpoint = _last_state(stored, epochs, reporter)
        images = stored.images(data_dir, reporter, data_root)
        training = _prepared(stored, images, _device(stored, device, reporter), on_trouble, reporter)
        state = _running_state(stored)
        if training.processes.first:
            followed = Followed(stored.model, stored.spec_text, stored.settings_text, str(stored.path / SPEC), state)
            training.callbacks = all_callbacks(followed, folder, reporter, callbacks, checkpoint)
        if checkpoint is not None:
            checkpoint.require_fit(training, stored.path)
        training.processes.wait_for_all()  # the others may still be reading the files that are written now
        if not training.processes.first:
            accompany(training, checkpoint)
        if epochs is not None:
            folder.write_text(SPEC, stored.spec_text)
            folder.write_text(SETTINGS, stored.settings_text)
        carry_out(training, folder, state, reporter)
    return finished(training, folder, stored.model, images)


def _last_state(stored: StoredRun, epochs: int | None, reporter: Reporter) -> tuple[StoredRun, Checkpoint | None]:
    """Return the run with the wanted number of epochs and its last checkpoint, None if it was killed before the first.

    Raise ``RunError`` if nothing is left to do.
    """
    run = identity(stored.spec_text, stored.settings_text)
    checkpoint, note = latest(stored.path, run, largest_file(stored.model))
    if note:
        reporter.note(note)
    extended = _extended(stored, epochs, checkpoint)
    _check_unfinished(extended, checkpoint)
    return extended, checkpoint


def _prepared(
    stored: StoredRun, images: Images, device: torch.device, on_trouble: str | None, reporter: Reporter
) -> Training:
    """Return the run as it was at its start, ready to be restored; report what may change its last digits."""
    settings = replace(stored.settings, precision=stored.environment.precision)
    training = prepare_training(stored.model, settings, images, device, stored.start_weights(), stored.split_seed)
    for note in resume_threads(training, stored.environment.device, stored.environment.threads):
        reporter.note(note)
    choose_compilation(training)
    stored.check_split(training.validation)
    now = environment_of(training, stored.model, images, None, stored.split_seed)
    changed = differences(stored.environment.model_dump(), now)
    if torch.device(stored.environment.device).type != device.type:
        reporter.note(
            f"the run was started on {stored.environment.device} and is resumed on {device}, which rounds differently: "
            "the result will not be the same bit for bit"
        )
    elif changed:
        reporter.note(f"the run was started on another machine ({'; '.join(changed)}): its last digits may differ")
    if on_trouble is not None:
        training.settings = replace(training.settings, on=On(on_trouble))
    return training


def _check_version(stored: StoredRun, reporter: Reporter) -> None:
    """Raise ``RunError`` for a run of another version; patch versions (the last number) are compatible."""
    version = stored.environment.caedsl
    if version.split(".")[:2] != __version__.split(".")[:2]:
        raise RunError(
            f"the run in {stored.path} was started with caedsl {version}, but this is {__version__}: install that "
            f"version to resume it, or start a new run from {stored.path / SPEC}"
        )
    if version != __version__:
        reporter.note(f"the run was started with caedsl {version}, and this is {__version__}")


def _device(stored: StoredRun, wanted: str, reporter: Reporter) -> torch.device:
    """Return the device ``wanted``; for ``auto`` the device of the run, or another one if that is not available."""
    if wanted != "auto":
        return choose_device(wanted)
    try:
        return choose_device(stored.environment.device)
    except TrainingError as error:
        if current().count > 1:
            raise
        reporter.note(str(error))
        return choose_device("auto")


def _check_unfinished(stored: StoredRun, checkpoint: Checkpoint | None) -> None:
    ended = checkpoint.progress["ended"] if checkpoint is not None else "running"
    try:
        read_metrics(stored.path)
    except (OSError, RecordError):
        return  # killed before its evaluation, or its metrics are damaged: the evaluation is still to be done
    if ended == "finished" and _epochs(checkpoint) >= stored.settings.epochs:
        planned, longer = counted(stored.settings.epochs, "epoch"), f"--epochs {2 * stored.settings.epochs}"
        fixed = _planned_for_its_epochs(stored)
        raise RunError(
            f"the run in {stored.path} has finished its {planned}: to train longer, "
            + (f"start a new run from {stored.path / SPEC} with {longer}: {fixed}" if fixed else f"add {longer}")
        )
    if ended in ("patience", "time"):
        raise RunError(
            f"the run in {stored.path} was ended by its `stop` setting ({ended}): to train longer, start a new run "
            f"from {stored.path / SPEC} with another `stop`"
        )


def _epochs(checkpoint: Checkpoint | None) -> int:
    """Return the number of epochs that were trained, the last of which may be incomplete."""
    return int(checkpoint.progress["epochs"]) if checkpoint is not None else 0


def _planned_for_its_epochs(stored: StoredRun) -> str:
    """Return what depends on the number of epochs, so that more of them would have changed the past ones."""
    schedule, planned = stored.settings.schedule, counted(stored.settings.epochs, "epoch")
    if schedule.kind.whole_run or schedule.warmup:
        return f"schedule {schedule.name if schedule.kind.whole_run else 'with warmup'} depends on the {planned}"
    return f"`warmup` of the bottleneck depends on the {planned}" if stored.model.bottleneck.warmup else ""


def _extended(stored: StoredRun, epochs: int | None, checkpoint: Checkpoint | None) -> StoredRun:
    """Return the run with another number of epochs. Raise ``RunError`` if that would have changed past epochs."""
    if epochs is None:
        return stored
    done, planned = _epochs(checkpoint), counted(stored.settings.epochs, "epoch")
    if epochs < stored.settings.epochs:
        raise RunError(
            f"--epochs {epochs} is less than the {planned} of the run in {stored.path} ({done} are "
            "complete): --resume can only add epochs"
        )
    fixed = _planned_for_its_epochs(stored)
    if epochs > stored.settings.epochs and fixed:
        raise RunError(
            f"{fixed} of the run in {stored.path}, so more epochs need a new run: start one from {stored.path / SPEC} "
            f"with --epochs {epochs}"
        )
    settings = replace(stored.settings, epochs=epochs)
    fault = fault_of(settings)
    if fault is not None:
        raise RunError(f"--epochs {epochs}: {fault}")
    spec_text = override(Source(stored.spec_text), {"train.epochs": str(epochs)}).text
    model = replace(stored.model, train=settings)
    settings_text = json.dumps({**json.loads(stored.settings_text), "epochs": epochs}, indent=2) + "\n"
    return replace(stored, model=model, settings=settings, spec_text=spec_text, settings_text=settings_text)


def _running_state(stored: StoredRun) -> RunState:
    started = None
    with suppress(OSError, RecordError):
        started = read_state(stored.path).started
    return RunState.running(stored.model.name, stored.settings.epochs, started)
