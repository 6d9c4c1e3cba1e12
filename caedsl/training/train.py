"""Train a model, and write its run folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.split import SPLIT_SEED, held_out_names, split_validation
from caedsl.facts.schema import settings_json
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.runs.errors import TrainingError
from caedsl.runs.file_names import SETTINGS, SPEC, SPLIT, START
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.state import RunState
from caedsl.training.callbacks import Followed, all_callbacks
from caedsl.training.checkpoints import has_checkpoint
from caedsl.training.device import choose_device
from caedsl.training.environment import environment_of
from caedsl.training.loop import Callback, Training
from caedsl.training.parallel.processes import current
from caedsl.training.prepare import Targets, prepare
from caedsl.training.preprocessing import fit_preprocessing
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run, accompany, carry_out, finished
from caedsl.training.search.auto import FoundNumbers, find_numbers
from caedsl.training.search.compilation import choose_compilation
from caedsl.training.search.threads import choose_threads
from caedsl.training.weights import Weights, largest_file


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
    training, found, samples = _tuned(model, spec_text, samples, choose_device(device), start, reporter)
    if not training.processes.first:
        accompany(training)
    folder = RunFolder.create(model.name, out)
    state = RunState.running(model.name, training.settings.epochs)
    run = Followed(found.model, found.spec_text, settings_json(training.settings), model.source.path, state)
    environment = environment_of(training, found.model, samples, data_dir)
    training.callbacks = all_callbacks(run, folder, reporter, callbacks, environment=environment)
    with _discarded_if_nothing_was_learned(folder, training), folder.locked():
        _write_start(folder, run, training, samples, start)
        carry_out(training, folder, state, reporter)
    return finished(training, folder, found.model, samples)


def _tuned(
    model: Autoencoder,
    spec_text: str,
    images: Images,
    device: torch.device,
    start: Weights | None,
    reporter: Reporter,
) -> tuple[Training, FoundNumbers, Images]:
    """Return a run that is ready to start, with the values found for ``auto``, and the images with notes on these."""

    def prepared(settings: Train) -> Training:
        return prepare_training(model, settings, images, device, start)

    found = find_numbers(model, spec_text, prepared, len(images), reporter)
    training = prepared(found.settings)
    notes = choose_threads(training, reporter)
    choose_compilation(training)
    for note in notes:
        reporter.note(note)
    return training, found, replace(images, notes=(*images.notes, *found.notes, *notes))


def _write_start(folder: RunFolder, run: Followed, training: Training, images: Images, start: Weights | None) -> None:
    """Write what a run begins with: spec, settings, names of the held-out images, initial weights of another run."""
    folder.write_text(SPEC, run.spec_text)
    folder.write_text(SETTINGS, run.settings_text)
    if training.validation is not None and images.validation_pixels is None:
        folder.write_text(SPLIT, held_out_names(images, training.validation.index))
    if start is not None:
        folder.write_weights(START, start.tensors)


@contextmanager
def _discarded_if_nothing_was_learned(folder: RunFolder, training: Training) -> Iterator[None]:
    """Remove the files of a run that fails within the block before its first epoch has ended."""
    try:
        yield
    except BaseException:
        if not training.history.epochs and not has_checkpoint(folder.path):
            folder.discard()
        raise


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
