"""Complete runs: train, evaluate with baselines, draw pictures, and write everything to the run folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.diagnostics.json import finite
from caedsl.evaluation.epoch_pictures import EpochPictures, draw_evolution
from caedsl.evaluation.evaluate import Evaluation, EvaluationSet, as_target, evaluate, input_name, predictor_of
from caedsl.evaluation.failure import explain, is_failure
from caedsl.evaluation.metrics import Metrics
from caedsl.evaluation.reconstructions import PictureRow, columns_of, draw, samples_text
from caedsl.evaluation.run_summary import report
from caedsl.evaluation.tensorboard import TensorBoard
from caedsl.machine.memory import refused_beyond_available
from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.confined import has_folder
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.file_names import METRICS, PICTURE, PICTURES, TENSORBOARD
from caedsl.runs.schema import RecordError, read_state
from caedsl.runs.state import FAILED, RunState
from caedsl.training.device import computing_with, keeping_freed_memory
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory
from caedsl.training.loop import RESUMABLE, Callback
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume
from caedsl.training.run import Run, resume_command
from caedsl.training.train import train
from caedsl.vocabulary.shape import elements

PICTURE_COLUMNS = 10


@dataclass(frozen=True)
class EvaluatedRun:
    """Finished run with its evaluation, and the paths of its pictures, None for those that were not written."""

    run: Run
    evaluation: Evaluation
    picture: Path | None
    evolution: Path | None = None


def train_and_evaluate(
    model: Autoencoder,
    *,
    spec_text: str,
    device: str = "auto",
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    data_root: str | Path | None = None,
    weights: str | Path | None = None,
    pictures: bool = True,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
    baselines: bool = True,
    images: Images | None = None,
) -> EvaluatedRun:
    """Train ``model``, evaluate the best weights, and write ``metrics.json`` and ``reconstructions.png``.

    See ``caedsl.training.train.train`` for the arguments and the errors. The run is evaluated on the test images of the
    source, else on the validation images, and if nothing was held out on the training images. With ``pictures`` the
    reconstructions after each epoch are drawn too. With ``tensorboard`` event files are written, which requires that
    package.
    """
    reporter = reporter or Reporter()
    run = train(
        model,
        spec_text=spec_text,
        device=device,
        out=out,
        data_dir=data_dir,
        data_root=data_root,
        weights=weights,
        reporter=reporter,
        callbacks=[*_picture_callbacks(pictures, tensorboard), *callbacks],
        images=images,
    )
    return _evaluated(run, reporter, baselines)


def resume_and_evaluate(
    path: str | Path,
    *,
    epochs: int | None = None,
    on_trouble: str | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    data_root: str | Path | None = None,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
    baselines: bool = True,
) -> EvaluatedRun:
    """Resume the run in the folder ``path`` as ``caedsl.training.resume.resume`` does, and evaluate it.

    Pictures and TensorBoard files are continued; with ``tensorboard`` the latter are started if there are none.
    """
    reporter = reporter or Reporter()
    before = {name for name in (PICTURES, TENSORBOARD) if has_folder(Path(path), name)}
    all_callbacks = [*_picture_callbacks(PICTURES in before, tensorboard or TENSORBOARD in before), *callbacks]
    run = resume(
        path,
        epochs=epochs,
        on_trouble=on_trouble,
        device=device,
        data_dir=data_dir,
        data_root=data_root,
        reporter=reporter,
        callbacks=all_callbacks,
    )
    return _evaluated(run, reporter, baselines)


def _picture_callbacks(pictures: bool, tensorboard: bool) -> list[Callback]:
    return [*([EpochPictures()] if pictures else []), *([TensorBoard()] if tensorboard else [])]


def _evaluated(run: Run, reporter: Reporter, baselines: bool) -> EvaluatedRun:
    if run.history.ended == "interrupted":
        reporter.note(f"interrupted; state saved. Resume with: {resume_command(run.folder.path)}")
    if run.history.ended == "trouble":
        reporter.note(f"stopped by a monitor; state saved. Resume anyway with: {resume_command(run.folder.path)}")
    reporter.loading("evaluating", 0, 0, "samples")
    try:
        with run.folder.locked(), _memory_errors(run):
            evaluated = evaluate_run(run, reporter, baselines)
    except (DataError, TrainingError) as error:
        _record_failure(run, error)
        *before, last = error.lines
        raise type(error)(*before, f"{last}; {_not_evaluated(run)}, once this is fixed") from error
    except KeyboardInterrupt:
        if run.history.ended not in RESUMABLE:
            reporter.note(f"interrupted; {_not_evaluated(run)}")
        raise
    finally:
        reporter.end()
    report(run, evaluated.evaluation, reporter)
    if is_failure(evaluated.evaluation):
        explain(run, evaluated.evaluation, reporter)
    reporter.result(f"run      {run.folder.path}")
    if evaluated.picture is not None:
        reporter.result(f"picture  {evaluated.picture}")
    if evaluated.evolution is not None:
        reporter.result(f"epochs   {evaluated.evolution}")
    return evaluated


def _not_evaluated(run: Run) -> str:
    command = resume_command(run.folder.path)
    return f"the run is not evaluated yet: its weights are in {run.folder.path}, and {command} evaluates them"


@contextmanager
def _memory_errors(run: Run) -> Iterator[None]:
    """Raise ``OutOfMemoryError`` if memory runs out within the block; on a CPU, before the system kills the process."""
    with refused_beyond_available() if run.train.device.type == "cpu" else nullcontext():
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError("out of memory while the run was evaluated: end other programs") from error


def _record_failure(run: Run, error: Exception) -> None:
    """Record in the run's state why the trained run is not evaluated."""
    with suppress(OSError, RecordError, RunError):
        state = read_state(run.folder.path)
        failed = RunState(FAILED, state.model, state.epochs, state.started, f"not evaluated: {error}")
        run.folder.write_state(failed)


def evaluate_run(run: Run, reporter: Reporter | None = None, baselines: bool = True) -> EvaluatedRun:
    """Evaluate a run on held-out images and write the result into its folder.

    A picture that cannot be written is only reported, since the metrics do not depend on it.
    """
    eval_set, evaluation = evaluation_set(run), evaluation_of(run, baselines)
    run.folder.write_json(METRICS, finite({**evaluation.as_json(), "training": _training(run)}))
    picture = evolution = None
    try:
        picture = run.folder.write_bytes(PICTURE, draw(_picture_rows(run, eval_set, evaluation), run.pixels))
        evolution = draw_evolution(run.folder, rows=3 if eval_set.denoises else 2)
    except RunError as error:
        (reporter or Reporter()).note(f"{error}; the run is complete except for this picture")
    return EvaluatedRun(run, evaluation, picture, evolution)


def evaluation_of(run: Run, baselines: bool = True) -> Evaluation:
    """Evaluate the module of a run on held-out images, with ``baselines`` if requested."""
    eval_set = evaluation_set(run)
    module = predictor_of(run.module, eval_set.images)
    code = elements(run.model.code_shape)
    with computing_with(run.threads), keeping_freed_memory(run.train.device):
        return evaluate(module, eval_set, run.train, run.pixels, code, run.held_out[0], baselines)


def evaluation_set(run: Run) -> EvaluationSet:
    """Return the held-out images of a run with the corruption of its evaluation."""
    settings = run.settings
    model = run.model
    return EvaluationSet(
        run.held_out[1],
        settings.images_at_once,
        model.input.range,
        settings.corrupt,
        settings.seed,
        target_range=model.target.range,
    )


def _picture_rows(run: Run, eval_set: EvaluationSet, evaluation: Evaluation) -> Sequence[PictureRow]:
    shape = eval_set.images.target_shape
    shown = eval_set.images.spread(columns_of(shape, PICTURE_COLUMNS))
    samples = list(eval_set.samples(shown))
    seen = torch.cat([sample.seen for sample in samples]).float()
    original = torch.cat([sample.target for sample in samples]).float()
    with torch.no_grad():
        reconstruction = run.module(seen)
    caption = f"{run.model.name}: {len(shown)} of {evaluation.images:,} {evaluation.part} {samples_text(shape)}"
    names = eval_set.row_names
    rows = [PictureRow(names[0], original, caption)]
    if eval_set.denoises:
        known = evaluation.scores.get(input_name(eval_set))
        detail = "" if known is None else _detail(known, evaluation.noun)
        rows.append(PictureRow(names[1], as_target(seen, eval_set, run.pixels), detail))
    rows.append(PictureRow("reconstruction", reconstruction, _detail(evaluation.model, evaluation.noun)))
    return rows


def _detail(metrics: Metrics, noun: str) -> str:
    return f"mean squared error {metrics.mse:.5f}, PSNR {metrics.psnr:.2f} dB over all {noun}s"


def _training(run: Run) -> dict[str, Any]:
    best, last = run.history.best, run.history.epochs[-1]
    return {
        "ended": run.history.ended,
        "epochs": last.epoch,
        "steps": last.step,
        "best_epoch": best.epoch if best else None,
        "best_validation_loss": best.validation if best else None,
        "parameters": sum(weight.numel() for weight in run.module.parameters()),
    }
