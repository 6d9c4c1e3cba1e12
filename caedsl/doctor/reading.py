"""From a spec or a run folder to a subject."""

from collections.abc import Sequence
from pathlib import Path

from caedsl.data.images import Images
from caedsl.doctor.errors import DoctorError
from caedsl.doctor.subject import Record, Subject
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train, settled
from caedsl.runs.schema import read_epochs, read_troubles
from caedsl.training.device import choose_device
from caedsl.training.kept_run import open_run
from caedsl.training.loop import Training
from caedsl.training.reporter import Reporter
from caedsl.training.search.auto import find_numbers
from caedsl.training.train import load_images, prepare_training

LEAST_IMAGES = 16
"""Training images without which nothing can be measured."""


def of_model(
    model: Autoencoder,
    *,
    images: Images | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    reporter: Reporter | None = None,
    frozen: Sequence[str] = (),
) -> Subject:
    """Return the subject that a spec describes; numbers that it leaves to ``auto`` are found first."""
    reporter, target = reporter or Reporter(), choose_device(device)
    if not model.complete or model.out_shape != model.input.shape:
        raise DoctorError(
            f"{model.source.path} cannot be built (`caedsl check {model.source.path}` shows why): correct that first"
        )
    if model.train is None:
        raise DoctorError(
            f"{model.source.path} has no `train` block: add one, such as `train {{ loss mse; epochs 20 }}`"
        )
    if images is None and not model.data:
        raise DoctorError(f"{model.source.path} has no `data` line: add one, such as `data digits`, or use --data")
    loaded = images or load_images(model, data_dir, reporter)
    if len(loaded) < LEAST_IMAGES:
        raise DoctorError(f"{loaded.name} has {len(loaded)} training images, and {LEAST_IMAGES} are needed to judge by")

    def prepared(settings: Train) -> Training:
        return prepare_training(model, settings, loaded, target)

    found = find_numbers(model, model.source.text, prepared, len(loaded), reporter)
    settings = settled(found.settings)
    assert settings is not None, "all numbers are found"
    return Subject(found.model, settings, loaded, target, frozenset(frozen))


def of_run(path: Path, *, device: str = "auto", data_dir: str | Path | None, reporter: Reporter) -> Subject:
    """Return the subject that a run folder holds, with what its monitors recorded."""
    kept = open_run(path, data_dir)
    images = kept.images(data_dir, reporter)
    record = Record(tuple(read_troubles(path)), tuple(read_epochs(path)))
    return Subject(kept.model, kept.settings, images, choose_device(device), record=record)
