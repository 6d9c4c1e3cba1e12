"""The Python interface, re-exported by ``caedsl`` itself. Importing it does not import torch."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any
from warnings import warn

from caedsl.diagnostics.finding import Finding
from caedsl.extras import explaining_missing_packages
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Source
from caedsl.syntax.tree import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
    from caedsl.console.notebook import Diagram, ModelTable
    from caedsl.data.store import Store as Store
    from caedsl.doctor.diagnosis import Diagnosis
    from caedsl.evaluation.evaluated_run import EvaluatedRun
    from caedsl.figures.graph import Style
    from caedsl.importing.imported import ImportedModel
    from caedsl.inference.trained_run import TrainedRun
    from caedsl.training.any_loop.loop_watch import LoopWatch
    from caedsl.training.loop import Callback as Callback

SpecLike = str | PathLike[str]
"""Spec: the path of a ``.cae`` file, or the text itself, which is recognised by a line break or a brace."""


def __getattr__(name: str) -> Any:
    """Import ``Callback`` and ``Store``, and with them PyTorch, on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


_LAZY = {"Callback": "caedsl.training.loop", "Store": "caedsl.data.store"}
"""Modules of the public classes that need PyTorch."""


class SpecError(ValueError):
    """Error in a spec from which no model can be built.

    ``findings`` says what is wrong; the message shows the findings as ``check`` does.
    """

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(message)
        self.findings = findings


def _source(spec: SpecLike) -> Source:
    text = spec if isinstance(spec, str) else None
    if text is not None and any(mark in text for mark in "\n{;"):
        return Source(text)
    from caedsl.syntax.reading import read_source

    return read_source(str(spec))


def parse(spec: SpecLike) -> tuple[Spec, tuple[Finding, ...]]:
    """Return the syntax tree of a spec and its syntax errors; raise ``SourceError`` if its file cannot be read."""
    from caedsl.syntax.parser import parse as parse_source

    return parse_source(_source(spec))


def check(
    spec: "SpecLike | nn.Module",
    *,
    input: Sequence[int] = (1, 28, 28),
    range: tuple[float, float] | None = (0, 1),
    loss: Any = None,
    optimizer: Any = None,
    data: Any = None,
) -> tuple[Finding, ...]:
    """Return everything that ``caedsl check`` finds in a spec, in the order of the text.

    ``spec`` may also be a PyTorch module: its findings name the author's layers (``finding.layers``) and print with
    those names. ``input`` is the shape of a sample and ``range`` the range of its values (None for any number).
    ``loss`` and ``optimizer`` are PyTorch objects or words of the language. ``data`` is written as after the word
    ``data`` in a spec, or is an array of samples. Raise ``ImportFailure`` if no spec describes the same network.
    """
    if hasattr(spec, "named_modules"):
        return _check_module(spec, input, range, loss, optimizer, data)
    from caedsl.diagnostics.shown_findings import Findings
    from caedsl.rules.engine.checking import check_source

    checked = check_source(_source(spec))
    return Findings(checked.findings, checked.reports)


@explaining_missing_packages()
def _check_module(
    module: Any, shape: Sequence[int], range: tuple[float, float] | None, loss: Any, optimizer: Any, data: Any
) -> tuple[Finding, ...]:
    from caedsl.importing.ranges import range_of
    from caedsl.importing.torch.module_check import check_module

    return check_module(module, shape, range_of(range), loss, optimizer, data)


def load(spec: SpecLike, settings: Mapping[str, object] | None = None, variant: int | None = None) -> Autoencoder:
    """Return the model that a spec describes, with every size known; a notebook shows its diagram and its table.

    ``settings`` replaces parts of the spec, as ``--set`` does: ``{"train.batch": 64, "train.optimizer.lr": 1e-4}``.
    ``variant`` chooses a variant of its ``sweep``, counted from 1; by default the spec is used as it stands. Raise
    ``SpecError`` if the spec has errors, and ``ValueError`` if it has no such variant.
    """
    source = _source(spec)
    if variant is not None:
        from caedsl.resolve.merging.variants import choose

        source = choose(source, variant)
    return _load(source, settings)


def _load(source: Source, settings: Mapping[str, object] | None) -> Autoencoder:
    from caedsl.console.notebook import loaded
    from caedsl.diagnostics.full import render_full
    from caedsl.resolve.merging.overrides import override
    from caedsl.rules.engine.checking import check_source

    if settings:
        source = override(source, {name: str(value) for name, value in settings.items()})
    checked = check_source(source)
    if checked.model is None or checked.has_errors:
        raise SpecError("\n" + render_full(checked.reports, colour=False), checked.findings)
    return loaded(checked.model)


def _model(model: Autoencoder | SpecLike) -> Autoencoder:
    return model if isinstance(model, Autoencoder) else load(model)


def graph(
    model: Autoencoder | SpecLike,
    *,
    style: "Style" = "hourglass",
    width: float | None = None,
    font_size: float | None = None,
    title: bool = True,
    grey: bool = False,
) -> "Diagram":
    """Return the diagram of a model, as ``caedsl graph`` draws it; a notebook shows it and ``save`` writes it.

    ``style`` is hourglass or blocks. ``width`` is in centimetres, and ``font_size`` is the size of the smallest text in
    points.
    """
    from caedsl.console.notebook import Diagram
    from caedsl.figures.look import Look

    return Diagram(_model(model), style, Look(width, font_size, title, grey))


def show(model: Autoencoder | SpecLike) -> "ModelTable":
    """Return the table of a model, as ``caedsl show`` prints it; a notebook shows it and ``print`` prints it."""
    from caedsl.console.notebook import ModelTable

    return ModelTable(_model(model))


@explaining_missing_packages()
def build(model: Autoencoder | SpecLike) -> "ConvolutionalAutoencoder":
    """Return the ``torch.nn.Module`` of a model, with ``encode``, ``decode`` and ``forward``.

    Its weights depend on torch's global seed.
    """
    from caedsl.backends.torch.instantiate import build as build_module

    return build_module(_model(model))


def emit(model: Autoencoder | SpecLike, training: bool = False) -> str:
    """Return the module of a model as Python source that needs only torch.

    With ``training``, the source includes a plain training loop.
    """
    from caedsl.backends.torch.render import emit as emit_source

    return emit_source(_model(model), training)


@explaining_missing_packages()
def from_torch(
    module: "nn.Module", input: Sequence[int] = (1, 28, 28), range: tuple[float, float] | None = (0, 1)
) -> "ImportedModel":
    """Return a spec that builds the same network as a PyTorch module, and a module with its weights.

    ``input`` is the shape of a sample: channels and sizes, without the batch. ``range`` is the range of its values,
    None for ``real``. The outputs of both modules are compared on random samples. Raise ``ImportFailure`` of
    ``caedsl.importing.errors``, which names every layer that the language cannot express.
    """
    from caedsl.importing.imported import imported
    from caedsl.importing.ranges import range_of
    from caedsl.importing.torch.modules import module_network

    return imported(module_network(module, input, range_of(range)))


@explaining_missing_packages()
def from_keras(model: Any, range: tuple[float, float] | None = (0, 1)) -> "ImportedModel":
    """Return a spec that builds the same network as a Keras model, and a PyTorch module with its weights.

    ``model`` is Functional or Sequential, of Keras 3 or TensorFlow's Keras 2. ``range`` is the range of its samples'
    values, None for ``real``. Optimizer and loss become a ``train`` block. The outputs of both are compared on random
    samples. Raise ``ImportFailure`` of ``caedsl.importing.errors``, which names every layer that the language cannot
    express.
    """
    from caedsl.importing.imported import imported
    from caedsl.importing.keras.reading import network_of_model
    from caedsl.importing.ranges import range_of

    return imported(network_of_model(model, range_of(range)))


@explaining_missing_packages()
def watch(
    module: "nn.Module",
    optimizer: "Optimizer",
    *,
    loss: "Callable[[Tensor, Tensor], Tensor] | None" = None,
    code: str | None = None,
    say: "Callable[[str], None] | None" = None,
) -> "LoopWatch":
    """Return monitors for your own training loop; call their ``step(loss, samples)`` after each step.

    These are the monitors of ``caedsl train``: they inspect the module from time to time, report what goes wrong to
    standard error or to ``say``, and change nothing. ``loss`` is called with a reconstruction and its target; the
    default is squared error. ``code`` is the path of the submodule that returns the code, by default the one with the
    smallest output.
    """
    from torch.nn.functional import mse_loss

    from caedsl.importing.torch.static_findings import findings_of
    from caedsl.training.any_loop.loop_watch import LoopWatch
    from caedsl.training.any_loop.optimizer_settings import settings_of

    settings = settings_of(optimizer)
    return LoopWatch(
        module,
        settings,
        loss=loss or mse_loss,
        code=code,
        findings=findings_of(module, settings),
        say=say,
        optimizer=optimizer,
    )


@explaining_missing_packages()
def open(run: str | PathLike[str], device: str = "auto") -> "TrainedRun":
    """Open a trained run to encode, decode, reconstruct and score samples.

    None of these needs the training data. ``run`` is a run folder, or any folder with ``spec.cae`` and
    ``weights.safetensors``. ``device`` is auto, cpu or cuda. Raise ``RunError`` of ``caedsl.runs.errors`` if the run
    cannot be opened.
    """
    from caedsl.inference.opening import open_trained
    from caedsl.report.notebook import opened

    return opened(open_trained(run, device))


@explaining_missing_packages()
def train(
    model: Autoencoder | SpecLike,
    *,
    device: str = "auto",
    out: SpecLike | None = None,
    data_dir: SpecLike | None = None,
    data_root: SpecLike | None = None,
    settings: Mapping[str, object] | None = None,
    weights: SpecLike | None = None,
    pictures: bool = True,
    tensorboard: bool = False,
    progress: bool = False,
    callbacks: "Sequence[Callback]" = (),
    baselines: bool = True,
    images: "NDArray[Any] | Store | Any" = None,
    targets: "NDArray[Any] | Store | Any" = None,
    sample_weights: "Sequence[float] | NDArray[Any] | None" = None,
) -> "EvaluatedRun":
    """Train a model as its ``train`` block says, evaluate it and write the run folder.

    Return the run with its module. ``settings`` replaces parts of a spec, as in ``load``. ``device`` is auto, cpu or
    cuda. ``out`` is the run folder (by default a new one in ``runs/``), and ``data_dir`` the folder of the datasets. No
    path of the spec may leave ``data_root``. ``weights`` names a run or a safetensors file to start from instead of
    random weights.

    ``pictures`` draws the same few reconstructions after each epoch, ``tensorboard`` writes logs for TensorBoard, and
    ``progress`` prints what the command prints. ``callbacks`` follow the run, see ``Callback``. ``baselines`` compares
    the result with the mean image and PCA.

    ``images`` replaces the data of the spec: an array of N samples, a ``Store`` or a Hugging Face dataset. Integers are
    scaled like those of image files; real numbers must be in the input's range. A warning says if samples were resized
    or converted. ``targets`` holds the expected output of each sample, and ``sample_weights`` the weight of each sample
    in the loss.

    Raise ``SpecError`` for a spec with errors, ``ValueError`` for one with a sweep, ``DataError`` of
    ``caedsl.data.errors`` for unusable data, and ``TrainingError`` of ``caedsl.runs.errors`` if training cannot start
    or continue.
    """
    from caedsl.console.progress import make_reporter
    from caedsl.data.in_memory import images_of, notes_on_samples
    from caedsl.evaluation.evaluated_run import train_and_evaluate
    from caedsl.report.notebook import reported
    from caedsl.syntax.formatter import format_source

    if not isinstance(model, Autoencoder) or settings:
        model = _load(model.source if isinstance(model, Autoencoder) else _source(model), settings)
    if model.sweep is not None:
        count = model.sweep.variants
        raise ValueError(f"the spec has a sweep of {count} variants: choose one by `load(spec, variant=1)`")
    text, _ = format_source(model.source)
    own = images_of(images, model, targets, sample_weights) if images is not None else None
    for note in notes_on_samples(own, model) if own is not None else ():
        warn(note, stacklevel=3)  # the caller of the decorated function
    evaluated = train_and_evaluate(
        model,
        spec_text=text or model.source.text,
        device=device,
        out=str(out) if out is not None else None,
        data_dir=str(data_dir) if data_dir is not None else None,
        data_root=str(data_root) if data_root is not None else None,
        weights=str(weights) if weights is not None else None,
        pictures=pictures,
        tensorboard=tensorboard,
        reporter=make_reporter(quiet=not progress),
        callbacks=_checked(callbacks),
        baselines=baselines,
        images=own,
    )
    return reported(evaluated)


def _checked(callbacks: "Sequence[Callback]") -> "Sequence[Callback]":
    """Return ``callbacks``; raise ``TypeError`` if they are not a list of ``Callback``."""
    from caedsl.training.loop import Callback

    if isinstance(callbacks, Callback):
        raise TypeError(f"callbacks is one {type(callbacks).__name__}: pass a list, [{type(callbacks).__name__}(…)]")
    for callback in callbacks:
        if isinstance(callback, type):
            raise TypeError(f"callbacks has the class {callback.__name__}: pass an object, {callback.__name__}(…)")
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks has a {type(callback).__name__}: derive its class from caedsl.Callback")
    return callbacks


@explaining_missing_packages()
def diagnose(
    model: "Autoencoder | SpecLike | ImportedModel",
    *,
    budget: float | str = "2min",
    settings: Mapping[str, object] | None = None,
    device: str = "auto",
    data_dir: SpecLike | None = None,
    images: "NDArray[Any] | None" = None,
    progress: bool = False,
) -> "Diagnosis":
    """Find out why a model fails to train, as ``caedsl doctor`` does.

    ``model`` is a spec, a run folder, whose records are then taken into account, or the result of ``from_torch``.
    ``budget`` is the approximate time to take, as in ``"2min"`` or a number of seconds, or a number of training steps,
    as in ``"3000steps"``. ``settings`` replaces parts of a spec, as in ``load``; ``images`` replaces its data, as in
    ``train``. The diagnosis has a verdict, causes with their evidence, and the repairs that improved training;
    ``print`` prints it. Raise ``DoctorError`` of ``caedsl.doctor.errors`` if the model cannot be examined.
    """
    from pathlib import Path

    from caedsl.console.progress import make_reporter
    from caedsl.data.in_memory import images_of
    from caedsl.doctor.budget import budget_of
    from caedsl.doctor.examine import examine
    from caedsl.doctor.reading import of_imported, of_model, of_run
    from caedsl.importing.imported import ImportedModel

    if hasattr(model, "named_modules") or hasattr(model, "get_layer"):
        made_by = "from_torch(module, input=...)" if hasattr(model, "named_modules") else "from_keras(model)"
        raise TypeError(f"{type(model).__name__} is not a spec: pass caedsl.{made_by} instead")
    reporter = make_reporter(quiet=not progress)
    folder = Path(data_dir) if data_dir is not None else None
    if isinstance(model, ImportedModel):
        changes = {name: str(value) for name, value in (settings or {}).items()}
        given = images_of(images, model.model) if images is not None else None
        imported_subject = of_imported(
            model, model.model.name, changes, images=given, device=device, data_dir=folder, reporter=reporter
        )
        return examine(imported_subject, budget_of(budget), reporter)
    if not isinstance(model, Autoencoder) and "\n" not in str(model) and Path(model).is_dir():
        subject = of_run(Path(model), device=device, data_dir=folder, reporter=reporter)
        return examine(subject, budget_of(budget), reporter)
    if not isinstance(model, Autoencoder) or settings:
        model = _load(model.source if isinstance(model, Autoencoder) else _source(model), settings)
    given = images_of(images, model) if images is not None else None
    subject = of_model(model, images=given, device=device, data_dir=folder, reporter=reporter)
    return examine(subject, budget_of(budget), reporter)


@explaining_missing_packages()
def resume(
    run: str | PathLike[str],
    *,
    epochs: int | None = None,
    device: str = "auto",
    data_dir: str | PathLike[str] | None = None,
    data_root: str | PathLike[str] | None = None,
    tensorboard: bool = False,
    progress: bool = False,
    callbacks: "Sequence[Callback]" = (),
) -> "EvaluatedRun":
    """Resume the run in a folder from its last checkpoint, and evaluate it; see ``train``.

    ``epochs`` is a new number of epochs, larger than before. Settings and pictures stay as they were, and so does the
    ``device`` if it is available.
    """
    from caedsl.console.progress import make_reporter
    from caedsl.evaluation.evaluated_run import resume_and_evaluate
    from caedsl.report.notebook import reported

    evaluated = resume_and_evaluate(
        str(run),
        epochs=epochs,
        device=device,
        data_dir=str(data_dir) if data_dir is not None else None,
        data_root=str(data_root) if data_root is not None else None,
        tensorboard=tensorboard,
        reporter=make_reporter(quiet=not progress),
        callbacks=_checked(callbacks),
    )
    return reported(evaluated)
