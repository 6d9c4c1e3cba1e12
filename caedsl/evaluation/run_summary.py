"""Summary at the end of a run: its duration, its metrics, and the comparison with baselines."""

from caedsl.console.formats import duration
from caedsl.diagnostics.text import counted
from caedsl.evaluation.evaluate import MEAN, Evaluation
from caedsl.evaluation.failure import is_failure
from caedsl.evaluation.filters import BLUR, MEDIAN
from caedsl.evaluation.metrics import Metrics
from caedsl.evaluation.schema import MODEL
from caedsl.runs.history import History
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run

_ENDED = {
    "finished": "finished",
    "patience": "stopped after {patience} epochs without improvement,",
    "time": "stopped at the time limit",
    "interrupted": "interrupted",
    "trouble": "stopped by a monitor",
}


def report(run: Run, evaluation: Evaluation, reporter: Reporter) -> None:
    """Report the result of a run: a table of metrics with baselines, and whether a simple predictor is better."""
    reporter.result(_ending(run.history, run.settings.stop.patience))
    table(evaluation, run.settings.loss.probabilities, reporter)


def table(evaluation: Evaluation, probabilities: bool, reporter: Reporter) -> None:
    """Show the metrics with baselines, and the verdict; ``probabilities`` adds the cross-entropies if there are any."""
    probabilities = probabilities and evaluation.model.bce is not None
    ssim = ["SSIM"] if evaluation.model.ssim is not None else []
    headings = ["", "MSE", "PSNR dB", *ssim, *(["BCE", "above floor"] if probabilities else [])]
    mean = f"mean {evaluation.noun}"
    rows = [
        [mean if name == MEAN else name, *_cells(metrics, probabilities)] for name, metrics in evaluation.scores.items()
    ]
    reporter.table(headings, rows)
    numbers = "pixels" if evaluation.noun == "image" else "values"
    scale = (
        f"{numbers} in 0..1"
        if str(evaluation.pixels) == "0..1"
        else f"{numbers} mapped from {evaluation.pixels} to 0..1"
    )
    reporter.result(f"on {evaluation.images:,} {evaluation.part} {evaluation.noun}s, {scale}")
    for line in (*evaluation.notes, *verdict(evaluation)):
        reporter.result(line)


def _ending(history: History, patience: int | None) -> str:
    last, best = history.epochs[-1], history.best or history.epochs[-1]
    ended = _ENDED.get(history.ended, f"stopped ({history.ended})").format(patience=patience)
    kind = "training" if best.validation is None else "validation"
    time = f"{ended} in epoch {last.epoch} after {duration(last.seconds)}"
    return f"{time}; best is epoch {best.epoch}, {kind} loss {best.selection_loss:.5f}"


def _cells(metrics: Metrics, probabilities: bool) -> list[str]:
    cells = [f"{metrics.mse:.5f}", f"{metrics.psnr:.2f}"]
    if metrics.ssim is not None:
        cells.append(f"{metrics.ssim:.4f}")
    if probabilities and metrics.bce is not None and metrics.bce_above_floor is not None:
        cells += [f"{metrics.bce:.4f}", f"{metrics.bce_above_floor:.4f}"]
    return cells


def verdict(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the verdict on a model that a simple predictor beats in mean squared error; empty if none does."""
    model, pca = evaluation.scores[MODEL], evaluation.pca
    if is_failure(evaluation):
        noun = evaluation.noun
        return (f"The model is no better than the mean {noun}: it has learned nothing about single {noun}s yet.",)
    scores = evaluation.scores
    better = [name for name in (MEDIAN, BLUR) if name in scores and scores[name].mse <= model.mse]
    if better:
        words = "learn nothing, denoise" if len(better) > 1 else "learns nothing, denoises"
        return (f"A {' and a '.join(better)}, which {words} better.",)
    if pca is not None and model.mse >= pca.mse:
        numbers = counted(evaluation.code_size, "number")
        return (
            f"PCA, a linear map to {numbers}, is better: its error is {pca.mse / model.mse:.0%} of the model's.",
            "Train longer, or change the model: a deep model is only worth its cost if it beats PCA.",
        )
    return ()
