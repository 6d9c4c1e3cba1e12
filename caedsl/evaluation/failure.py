"""Explain a run that ends no better than the mean image, although no monitor reported anything."""

from caedsl.diagnostics.text import counted
from caedsl.evaluation.evaluate import MEAN, Evaluation
from caedsl.evaluation.schema import MODEL
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.causes import KNOWN
from caedsl.rules.engine.symptoms import CAUSES, likely_cause
from caedsl.rules.engine.wording import for_samples_of
from caedsl.runs.file_names import SPEC
from caedsl.runs.schema import read_monitors
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.catalogue import every, find
from caedsl.training.monitors.engine.observation import PLATEAU_STEPS
from caedsl.training.monitors.engine.watch import Watch, watch_run
from caedsl.training.monitors.engine.wording import one_of
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run

SYMPTOM = "worse-than-mean"
_OF_PAIRS = ("label-target", "unrelated-target")
_OF_IMPORTED = ("frozen-layer",)
_OF_CLIPPED = ("tight-clip",)


def is_failure(evaluation: Evaluation) -> bool:
    """Return whether the model is no better than the mean image."""
    mean = evaluation.scores.get(MEAN)
    return mean is not None and evaluation.scores[MODEL].mse >= mean.mse


def explain(run: Run, evaluation: Evaluation, reporter: Reporter) -> None:
    """Record the failure as a finding with its possible causes, or refer to what the monitors have reported."""
    path = run.folder.path
    reported = read_monitors(path)
    if reported:
        reporter.result(f"Monitors reported: {', '.join(reported)}. `caedsl doctor {path}` looks for the cause.")
        return
    last = run.history.epochs[-1]
    watch = watch_run(run.model, (path / SPEC).read_text("utf-8"), run.model.source.path, run.folder, reporter)
    seen = ((monitor, monitor.at_end(run.history.epochs)) for monitor in every() if monitor.at_end)
    monitor, symptom = next(((monitor, symptom) for monitor, symptom in seen if symptom), (find(SYMPTOM), None))
    assert monitor is not None
    watch.record(monitor, symptom or _symptom(run, evaluation, watch), last.step, last.epoch)


def _symptom(run: Run, evaluation: Evaluation, watch: Watch) -> Symptom:
    last, noun = run.history.epochs[-1], evaluation.noun
    times = evaluation.scores[MODEL].mse / max(evaluation.scores[MEAN].mse, 1e-30)
    short = [f"more epochs (healthy networks beat the mean {noun} after 40 to 240 steps)"]
    remedies = [
        *(short if last.step < PLATEAU_STEPS else []),
        f"what `caedsl doctor {run.folder.path}` finds by trying",
    ]
    causes = "" if likely_cause(SYMPTOM, watch.findings()) else _possible_causes(run)
    return Symptom(
        "train.epochs" if last.step < PLATEAU_STEPS else "train.optimizer",
        f"after {counted(last.step, 'step')} the error on {evaluation.images:,} {evaluation.part} {noun}s is "
        f"{times:.3g} times that of the mean {noun}{causes}",
        one_of(remedies),
    )


def _possible_causes(run: Run) -> str:
    """Return the causes that ``caedsl check`` cannot find, without those that this run cannot have."""
    train = run.model.train
    excluded = {*catalogue.all_names(), *_OF_IMPORTED}
    excluded |= {*(() if run.model.paired else _OF_PAIRS), *(() if train and train.clip else _OF_CLIPPED)}
    causes = [KNOWN[name].what for name in CAUSES[SYMPTOM] if name not in excluded]
    listed = for_samples_of(run.model.input.shape, ", or ".join(causes))
    return f"; possible causes that `caedsl check` cannot see: {listed}"
