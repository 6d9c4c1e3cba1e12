"""From a model to a trained module in a run folder."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from caedsl.backends.torch import build, lower
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.split import split_validation
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.training import run_folder
from caedsl.training.batches import Batches
from caedsl.training.device import choose_device, device_name
from caedsl.training.environment import describe
from caedsl.training.errors import RunError, TrainingError
from caedsl.training.history import History
from caedsl.training.interruption import Interruption
from caedsl.training.loop import Training
from caedsl.training.pixel_range import PixelRange
from caedsl.training.prepare import prepare
from caedsl.training.progress import Reporter
from caedsl.training.run_folder import RunFolder

SECONDS_BETWEEN_SAVES = 10


@dataclass(frozen=True)
class Run:
    """A run that is over: ``module`` has the best weights and is in eval mode."""

    folder: RunFolder
    model: Autoencoder
    settings: Train
    module: nn.Module
    train: Batches
    validation: Batches | None
    test: Batches | None
    pixels: PixelRange
    history: History

    @property
    def held_out(self) -> tuple[str, Batches]:
        """The images to judge the module by, and what they are called: test, else validation, else training."""
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
    settings_json: str | None = None,
    reporter: Reporter | None = None,
) -> Run:
    """Train ``model`` as its ``train`` block says and write the run folder, all but the evaluation.

    ``spec_text`` is the canonical text kept as ``spec.cae``, ``settings_json`` the resolved settings (written from the
    model where None). ``device`` is auto, cpu or cuda, ``out`` the folder of the run, ``data_dir`` where data sets lie.
    Ctrl-C and SIGTERM end training after the current step, and the run goes on with what was learned. Errors of the
    outside world are a ``DataError`` of ``caedsl.data``, a ``TrainingError`` or a ``RunError``; before the first epoch
    is over they leave no folder.
    """
    reporter = reporter or Reporter()
    if model.train is None:
        raise TrainingError(
            f"{model.source.path} has no `train` block: add one, such as `train {{ loss mse; epochs 20 }}`"
        )
    target = choose_device(device)
    images = load(model, Path(data_dir) if data_dir is not None else None, reporter.loading)
    for note in images.notes:
        reporter.note(note)
    training = _prepare(model, model.train, images, target)
    folder = RunFolder.create(model.name, out)
    try:
        folder.write_text(run_folder.SPEC, spec_text)
        folder.write_text(run_folder.SETTINGS, settings_json or json.dumps(asdict(model.train), indent=2) + "\n")
        folder.write_json(run_folder.ENVIRONMENT, _environment(training, images))
        reporter.start(model.name, model.train.epochs, f"{device_name(target)}, {training.precision.name}")
        _run(training, folder, reporter)
    except BaseException:
        if not training.history.epochs:
            folder.discard()
        raise
    test = Batches(images.test, device=target) if images.test is not None and len(images.test) else None
    return Run(
        folder=folder,
        model=model,
        settings=model.train,
        module=training.module,
        train=training.train,
        validation=training.validation,
        test=test,
        pixels=training.objective.pixels,
        history=training.history,
    )


def _prepare(model: Autoencoder, settings: Train, images: Images, device: torch.device) -> Training:
    train_index, validation_index = split_validation(images, settings.validation, settings.seed)
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        module = build(model)
    return prepare(
        module,
        images.train,
        settings,
        train=train_index,
        validation=validation_index,
        input_range=model.input.range,
        penalties=lower(model).penalties,
        code_l1=model.bottleneck.l1,
        device=device,
    )


def _environment(training: Training, images: Images) -> dict[str, Any]:
    data = {
        "name": images.name,
        "sha256": images.sha256,
        "train": len(training.train),
        "validation": len(training.validation) if training.validation is not None else 0,
        "test": len(images.test) if images.test is not None else 0,
    }
    return describe(training.train.device, training.precision, training.settings.seed, data, images.notes)


def _run(training: Training, folder: RunFolder, reporter: Reporter) -> None:
    """Train, saving now and then and at the end, in whatever way it comes."""
    save = _saver(training, folder)

    def on_epoch(current: Training) -> None:
        reporter.epoch(current.history.epochs[-1])
        save(False)

    try:
        with Interruption() as interruption:
            training.run(reporter.step, on_epoch, lambda: interruption.requested)
    except RunError:
        raise
    except BaseException as error:
        if not training.history.epochs:
            raise
        save(True)
        if isinstance(error, TrainingError):
            raise type(error)(f"{error}; what was learned before is in {folder.path}") from error
        raise
    finally:
        reporter.end()
    save(True)


def _saver(training: Training, folder: RunFolder) -> Callable[[bool], None]:
    """Saves what was learned: at once if told to, else only when the last time is a while ago."""
    saved = time.monotonic()

    def save(now: bool) -> None:
        nonlocal saved
        if now or time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
            folder.write_progress(training.history, training.best_weights, training.last_weights)
            saved = time.monotonic()

    return save
