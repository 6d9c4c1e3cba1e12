"""Make a subject from a spec, a run folder or a file of another framework."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from caedsl.data.images import Images
from caedsl.diagnostics.finding import Severity
from caedsl.diagnostics.text import counted
from caedsl.doctor.errors import DoctorError
from caedsl.doctor.subject import Subject
from caedsl.facts.outputs import output_bounds
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import ImportedModel, imported
from caedsl.importing.opening import as_import_failures, network_at
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.model.settings import Train, settled
from caedsl.resolve.merging.overrides import OverrideError, override
from caedsl.rules.engine.checking import check_source
from caedsl.runs.file_names import SPEC
from caedsl.runs.listing import read_run
from caedsl.runs.schema import read_monitors
from caedsl.runs.state import CRASHED, FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED
from caedsl.source import Source
from caedsl.training.device import choose_device
from caedsl.training.loop import Training
from caedsl.training.reporter import Reporter
from caedsl.training.search.auto import find_numbers
from caedsl.training.stored_run import open_run
from caedsl.training.train import load_images, prepare_training
from caedsl.vocabulary.bottlenecks.variational import KL
from caedsl.vocabulary.shape import Shape

LEAST_IMAGES = 16
"""Fewest training images with which anything can be measured."""


def of_model(
    model: Autoencoder,
    *,
    images: Images | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    reporter: Reporter | None = None,
    frozen: Sequence[str] = (),
) -> Subject:
    """Return the subject of a spec; numbers that are ``auto`` are found first."""
    reporter, target = reporter or Reporter(), choose_device(device)
    if not model.complete or model.out_shape != model.target.shape:
        raise DoctorError(
            f"{model.source.path} cannot be built: correct the errors that `caedsl check {model.source.path}` shows"
        )
    if model.train is None:
        raise DoctorError(
            f"{model.source.path} has no `train` block: add one, such as `train {{ loss mse; epochs 20 }}`"
        )
    if images is None and not model.data:
        raise DoctorError(f"{model.source.path} has no `data` line: add one, such as `data digits`, or use --data")
    loaded = images or load_images(model, data_dir, reporter)
    if len(loaded) < LEAST_IMAGES:
        raise DoctorError(
            f"{loaded.name} has {counted(len(loaded), 'training image')}, but at least {LEAST_IMAGES} are needed"
        )

    def prepared(settings: Train) -> Training:
        return prepare_training(model, settings, loaded, target)

    found = find_numbers(model, model.source.text, prepared, len(loaded), reporter)
    settings = settled(found.settings)
    assert settings is not None, "all numbers are found"
    return Subject(found.model, settings, loaded, target, frozenset(frozen))


DEFAULTS = {"train.loss": "mse", "train.optimizer": "adam lr=1e-3", "train.batch": "64", "train.epochs": "20"}
"""Training settings for a model whose file has none."""


def of_imported(
    network: ImportedModel,
    path: str,
    settings: Mapping[str, str],
    *,
    images: Images | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    reporter: Reporter,
) -> Subject:
    """Return the subject of an imported model, with ``settings`` merged into its spec."""
    for note in network.notes:
        reporter.note(note)
    if network.model.train is None:
        defaults = _defaults(network.model)
        chosen = ", ".join(f"{name.removeprefix('train.')} {value}" for name, value in defaults.items())
        reporter.note(f"the model has no training settings: using {chosen}; change them with --set")
        settings = {**defaults, **settings}
    try:
        source = override(Source(network.spec, path), settings)
    except OverrideError as error:
        raise DoctorError(f"--set: {error}") from None
    checked = check_source(source)
    model = checked.model
    if model is None or not checked.can_be_built:
        errors = "; ".join(each.message for each in checked.findings if each.severity is Severity.ERROR)
        raise DoctorError(f"{path} cannot be examined with these settings: {errors}")
    frozen = [name for name, weight in network.module.named_parameters() if not weight.requires_grad]
    subject = of_model(model, images=images, device=device, data_dir=data_dir, reporter=reporter, frozen=frozen)
    weights = network.module.state_dict() if model.input == network.model.input else None
    return replace(subject, names=network.layers, modules=network.modules, weights=weights)


def _defaults(model: Autoencoder) -> Mapping[str, str]:
    """Return training settings for an imported model.

    A variational code with an output in 0..1 gets the loss of Kingma and Welling 2014: for the mean squared error of
    many images, the usual weight of the divergence is too strong.
    """
    values = model.target.range
    unit = output_bounds(model) == (values.low, values.high) == (0, 1)
    return {**DEFAULTS, "train.loss": "bce"} if unit and KL in model.bottleneck.weights else DEFAULTS


def of_file(
    place: str,
    shape: Shape | None,
    values: InputRange | None,
    settings: Mapping[str, str],
    *,
    device: str = "auto",
    data_dir: str | Path | None = None,
    reporter: Reporter,
) -> Subject:
    """Return the subject in a file of another framework, or in ``module.py:Name``, whose code is then executed."""
    try:
        with as_import_failures(place):
            network = imported(network_at(place, shape, values))
    except ImportFailure as failure:
        raise DoctorError(str(failure)) from None
    return of_imported(network, place, settings, device=device, data_dir=data_dir, reporter=reporter)


def of_run(path: Path, *, device: str = "auto", data_dir: str | Path | None, reporter: Reporter) -> Subject:
    """Return the subject of a run folder, with what its monitors recorded."""
    stored = open_run(path, data_dir)
    images = stored.images(data_dir, reporter)
    return Subject(
        stored.model,
        stored.settings,
        images,
        choose_device(device),
        monitors=read_monitors(path),
        notes=_ending(path),
        file=str(path / SPEC),
    )


def _ending(path: Path) -> tuple[str, ...]:
    """Return how a run ended, if it did not finish."""
    run = read_run(path)
    if run is None or run.state == FINISHED:
        return ()
    why = f": {run.error}" if run.error else ""
    return (f"the run {_ENDINGS[run.state]} after {run.epoch:,} of {run.epochs:,} epochs{why}",)


_ENDINGS = {
    RUNNING: "is still going on",
    INTERRUPTED: "was interrupted",
    STOPPED: "was stopped by a monitor",
    FAILED: "failed",
    CRASHED: "crashed",
}
