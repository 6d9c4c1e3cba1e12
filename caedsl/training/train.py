"""Train a model, and write its run folder."""

import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import nn

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.split import SPLIT_SEED, held_out_names, split_sha256, split_validation
from caedsl.diagnostics.text import text_of_path
from caedsl.facts.schema import settings_json
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Settled, Train
from caedsl.runs.confined import has
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.files import BEST, SETTINGS, SPEC, SPLIT, START
from caedsl.runs.folder import RunFolder
from caedsl.runs.history import History
from caedsl.runs.state import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED, RunState
from caedsl.training.batches import Batches
from caedsl.training.callbacks import Followed, Interruption, all_callbacks, restoring, stopping
from caedsl.training.checkpoints import Checkpoint, has_checkpoint
from caedsl.training.device import choose_device
from caedsl.training.environment import describe
from caedsl.training.loop import Callback, Training
from caedsl.training.parallel.processes import PartDoneError, current
from caedsl.training.pixel_range import PixelRange
from caedsl.training.prepare import Targets, prepare
from caedsl.training.preprocessing import fit_preprocessing
from caedsl.training.reporter import Reporter
from caedsl.training.search.auto import find_numbers
from caedsl.training.search.compilation import settle_compilation
from caedsl.training.search.threads import settle_threads
from caedsl.training.search.trials import naming_what_fits
from caedsl.training.weights import Weights, largest_file

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


def train(
    model: Autoencoder,
    *,
    spec_text: str,
    device: str = "auto",
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    data_root: str | Path | None = None,
    weights: str | Path | None = None,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
    images: Images | None = None,
) -> Run:
    """Train ``model`` according to its ``train`` block, and write the run folder except for the evaluation.

    ``spec_text`` is the canonical text, kept as ``spec.cae`` with the values that were found for ``auto``. ``device``
    is auto, cpu or cuda, ``out`` the folder of the run, ``data_dir`` the folder of datasets, ``data_root`` a folder
    that no path of the spec may leave. ``weights`` is a safetensors file or a run folder to start from instead of new
    weights. ``callbacks`` are called during the run, see ``Callback``. ``images`` replace the spec's data. Ctrl-C,
    SIGTERM and SIGHUP end training after the current step and save its state, see ``resume``. Raise a ``DataError`` of
    ``caedsl.data``, a ``TrainingError`` or a ``RunError``; before the end of the first epoch no folder is left then.
    """
    reporter = reporter or Reporter()
    if model.train is None:
        raise TrainingError(
            f"{model.source.path} has no `train` block: add one, such as `train {{ loss mse; epochs 20 }}`"
        )
    start = Weights.read(Path(weights), largest_file(model)) if weights is not None else None
    samples = images or load_images(model, data_dir, reporter, root=data_root)
    target = choose_device(device)

    def prepared(settings: Train) -> Training:
        return prepare_training(model, settings, samples, target, start)

    found = find_numbers(model, spec_text, prepared, len(samples), reporter)
    model, spec_text = found.model, found.spec_text
    training = prepared(found.settings)
    notes = settle_threads(training, reporter)
    settle_compilation(training)
    for note in notes:
        reporter.note(note)
    samples = replace(samples, notes=(*samples.notes, *found.notes, *notes))
    if not training.processes.first:
        accompany(training)
    folder = RunFolder.create(model.name, out)
    settings_text = settings_json(training.settings)
    state = RunState(RUNNING, model.name, training.settings.epochs, time.strftime("%Y-%m-%dT%H:%M:%S%z"))
    training.callbacks = all_callbacks(
        Followed(model, spec_text, settings_text, model.source.path, state),
        folder,
        reporter,
        callbacks,
        environment=environment_of(training, model, samples, data_dir),
    )
    try:
        with folder.locked():
            folder.write_text(SPEC, spec_text)
            folder.write_text(SETTINGS, settings_text)
            if training.validation is not None and samples.validation_pixels is None:
                folder.write_text(SPLIT, held_out_names(samples, training.validation.index))
            if start is not None:
                folder.write_weights(START, start.tensors)
            carry_out(training, folder, state, reporter)
    except BaseException:
        if not training.history.epochs and not has_checkpoint(folder.path):
            folder.discard()
        raise
    return finished(training, folder, model, samples)


def load_images(
    model: Autoencoder,
    data_dir: str | Path | None,
    reporter: Reporter,
    recorded: str | Path | None = None,
    root: str | Path | None = None,
) -> Images:
    """Load the images of a spec and report the notes about them. Raise ``DataError`` if they cannot be loaded."""
    with current().in_turn():
        images = load(model, _path(data_dir), reporter.loading, recorded=_path(recorded), root=_path(root))
    for note in images.notes:
        reporter.note(note)
    return images


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


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


def prepare_training(
    model: Autoencoder,
    settings: Train,
    images: Images,
    device: torch.device,
    start: Weights | None = None,
    split_seed: int = SPLIT_SEED,
) -> Training:
    """Return a run of ``model`` that is ready to start.

    ``split_seed`` selects the held-out images if the source has no validation images of its own. Without ``start``, the
    seed of the settings determines the initial weights.
    """
    train_index, validation_index = split_validation(images, settings.validation, split_seed)
    program = lower(model)
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        module = build(model)
    if start is not None:
        start.give(module)
    fit_preprocessing(module, model, images.train_pixels, train_index)
    return prepare(
        module,
        images.train_pixels,
        settings,
        train=train_index,
        validation=validation_index,
        held_out=images.validation_pixels if settings.validation else None,
        targets=Targets(images.train_targets, images.validation_targets, model.target.range),
        labels=images.labels,
        weights=images.weights,
        input_range=model.input.range,
        penalties=program.penalties,
        code=program.terms,
        device=device,
    )


def environment_of(
    training: Training,
    model: Autoencoder,
    images: Images,
    data_dir: str | Path | None,
    split_seed: int = SPLIT_SEED,
) -> dict[str, Any]:
    """Return the content of ``environment.json``, including everything needed to find the same images again."""
    data = {
        "name": images.name,
        "sha256": images.sha256,
        "part_sha256": dict(images.part_sha256),
        "train": len(training.train),
        "validation": len(training.validation) if training.validation is not None else 0,
        "split_seed": split_seed,
        "split_sha256": split_sha256(training.validation.index) if training.validation is not None else None,
        "test": len(images.test_pixels) if images.test_pixels is not None else 0,
        "skipped": list(images.skipped),
        "spec_folder": text_of_path(model.folder.absolute()),
        "data_dir": text_of_path(Path(data_dir).absolute()) if data_dir is not None else None,
    }
    settings = training.settings
    return describe(training.train.device, training.precision, training.threads, settings.seed, data, images.notes)


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
            raise kind(f"{error}{weights}{_resume_hint(folder)}") from error
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
