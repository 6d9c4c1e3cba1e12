"""Contents of the report of a run, read from its folder and, if available, from its data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from caedsl.console.formats import duration
from caedsl.data.errors import DataError
from caedsl.evaluation.schema import (
    MODEL,
    AnomaliesRecord,
    MetricsRecord,
    SweepRecord,
    read_anomalies,
    read_evaluation,
    read_scored_samples,
    read_sweep,
)
from caedsl.inference.calibration import Calibration
from caedsl.inference.opening import open_trained
from caedsl.inference.trained_run import TrainedRun
from caedsl.model.autoencoder import Autoencoder
from caedsl.report.anomaly_pictures import anomaly_groups
from caedsl.report.charts import code_plot, histogram, loss_curves, sweep_curves, unit_deviations
from caedsl.report.diagrams import diagrams
from caedsl.report.held_out import HeldOut, held_out
from caedsl.report.reproduction import commands
from caedsl.report.shown import Shown
from caedsl.report.verdict import VerdictSentence, verdicts
from caedsl.runs.errors import RunError
from caedsl.runs.history import thinned
from caedsl.runs.schema import EnvironmentRecord, RecordError, read_environment, read_epochs, read_troubles, reason_of
from caedsl.runs.trouble import Trouble
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter
from caedsl.version import __version__
from caedsl.vocabulary.shape import noun, rank, text

_STRETCHES = 1000
"""Stretches of epochs in a chart; its lines are some 600 pixels wide."""
_MOST_TROUBLES = 100
_ENLARGED = 64
"""Largest side of a sample whose pictures a page enlarges, with sharp pixels; it shrinks larger ones smoothly."""


@dataclass(frozen=True)
class Contents:
    """Parts of a report.

    ``held_out`` is None if the run's data are not available, and ``missing`` says why. ``charts`` are SVG by name,
    empty where there is nothing to draw; ``scores_of`` names the samples of the histogram. ``unlisted`` counts the
    findings of monitors after the first ones. Pictures of samples are ``sharp`` if they have fewer pixels than their
    place on the page, and ``curves`` if they are plots of signals.
    """

    name: str
    noun: str
    facts: Sequence[tuple[str, str]]
    verdicts: Sequence[VerdictSentence]
    metrics: MetricsRecord
    anomalies: AnomaliesRecord | None
    anomaly_pictures: dict[str, Sequence[Shown]]
    held_out: HeldOut | None
    missing: Sequence[str]
    sharp: bool
    curves: bool
    charts: Mapping[str, str]
    scores_of: str
    sweep: SweepRecord | None
    troubles: Sequence[Trouble]
    unlisted: int
    spec: str
    diagrams: tuple[str, str]
    environment: Sequence[tuple[str, str]]
    commands: Sequence[str]


def contents(path: Path, device: str, data_dir: Path | None, reporter: Reporter) -> Contents:
    """Read what the report of the run in the folder ``path`` shows.

    Raise ``RunError`` if it is not a finished run. Without the run's data there are no pictures and no codes.
    """
    run = open_trained(path, device)
    metrics, anomalies, sweep = read_evaluation(path), read_anomalies(path), read_sweep(path)
    environment, epochs = _environment(path), thinned(read_epochs(path), _STRETCHES)
    if not epochs:
        raise RunError(f"{path} has no epoch in its history: there is nothing to report yet")
    troubles = read_troubles(path)
    listed = list(islice(troubles, _MOST_TROUBLES))
    unlisted = sum(1 for _ in troubles)
    shown, missing = _held_out(path, device, data_dir, reporter)
    scores, scores_of = _scores(path, run.calibration, anomalies, shown)
    shape = run.model.input.shape
    return Contents(
        name=run.model.name,
        noun=noun(shape),
        facts=facts(run.model, metrics, epochs[-1].seconds),
        verdicts=verdicts(metrics, anomalies, run.calibration, len(listed) + unlisted, noun(shape)),
        metrics=metrics,
        anomalies=anomalies,
        anomaly_pictures=_anomaly_pictures(path, run, anomalies, run.values if shown is None else shown.seen, data_dir),
        held_out=shown,
        missing=missing,
        curves=rank(shape) == 1,
        sharp=rank(shape) > 1 and max(shape[1:] + run.model.target.shape[1:]) <= _ENLARGED,
        charts={
            "curves": loss_curves(epochs, metrics.training.best_epoch, listed),
            "scores": scores,
            "sweep": "" if sweep is None else sweep_curves(sweep),
            **_code_charts(shown),
        },
        scores_of=scores_of,
        sweep=sweep,
        troubles=listed,
        unlisted=unlisted,
        spec=run.model.source.text.strip(),
        diagrams=diagrams(run.model),
        environment=_rows(environment),
        commands=commands(path, run.model, environment, run.calibration, anomalies, sweep),
    )


def _held_out(
    path: Path, device: str, data_dir: Path | None, reporter: Reporter
) -> tuple[HeldOut | None, Sequence[str]]:
    """Return what to show of the held-out samples, or None and why there is nothing."""
    try:
        return held_out(path, device, data_dir, reporter), ()
    except (DataError, RunError) as error:
        return None, (f"No reconstructions and no codes: {str(error).splitlines()[0]}",)


def _anomaly_pictures(
    path: Path, run: TrainedRun, anomalies: AnomaliesRecord | None, seen: PixelRange, data_dir: Path | None
) -> dict[str, Sequence[Shown]]:
    """Return pictures of the labelled test samples, or none if they cannot be read any more."""
    if anomalies is None:
        return {}
    try:
        return anomaly_groups(run, anomalies, read_scored_samples(path), seen, data_dir)
    except (DataError, RunError):
        return {}


def _code_charts(shown: HeldOut | None) -> dict[str, str]:
    """Return the charts of the codes, empty if there are too few codes, or if all are equal."""
    if shown is None or len(shown.codes) <= 2 or shown.explained[0] <= 0:
        return {"codes": "", "units": ""}
    return {
        "codes": code_plot(shown.codes, shown.classes, shown.explained),
        "units": unit_deviations(shown.statistics.deviations),
    }


def _environment(path: Path) -> EnvironmentRecord:
    try:
        return read_environment(path)
    except (OSError, RecordError) as error:
        raise RunError(
            f"{path / 'environment.json'} cannot be read ({reason_of(error)}): name the folder of a complete run"
        ) from error


def facts(model: Autoencoder, metrics: MetricsRecord, seconds: float) -> list[tuple[str, str]]:
    """Return the numbers of a run, which took ``seconds``, by their names."""
    scores = metrics.scores[MODEL]
    target = [("target", text(model.target.shape))] if model.target is not model.input else []
    figures = [("input", text(model.input.shape)), *target, ("code size", f"{metrics.code_size:,}")]
    figures.append(("compression", _compression(model.compression)))
    figures.append(("parameters", f"{metrics.training.parameters:,}"))
    if scores.psnr is not None:
        figures.append(("PSNR", f"{scores.psnr:.2f} dB"))
    if scores.ssim is not None:
        figures.append(("SSIM", f"{scores.ssim:.3f}"))
    figures += [("epochs", f"{metrics.training.epochs:,}"), ("time", duration(seconds))]
    return figures


def _compression(factor: float) -> str:
    return f"{factor:.3g}×" if factor >= 1 else f"{1 / factor:.3g}× larger"


def _scores(
    path: Path, calibration: Calibration | None, anomalies: AnomaliesRecord | None, shown: HeldOut | None
) -> tuple[str, str]:
    """Return the histogram of scores and what it shows: labelled samples, else calibration scores, else errors."""
    if anomalies is not None:
        rows = [row for row in read_scored_samples(path) if np.isfinite(row.score)]
        groups = {
            "normal": np.array([row.score for row in rows if not row.anomalous]),
            "anomaly": np.array([row.score for row in rows if row.anomalous]),
        }
        limit = anomalies.detectors[MODEL].threshold if MODEL in anomalies.detectors else None
        if all(map(len, groups.values())):
            return histogram(
                groups, limit.value if limit else None, f"score {anomalies.score}"
            ), "labelled test samples"
    if calibration is not None:
        of = {"normal": np.array(calibration.normals)}
        return histogram(of, calibration.threshold, f"score {calibration.score}"), "the samples of the calibration"
    if shown is not None:
        return histogram({shown.part: shown.psnr}, None, "PSNR in dB"), f"the {shown.part} samples"
    return "", ""


def _rows(environment: EnvironmentRecord) -> list[tuple[str, str]]:
    data = environment.data
    parts = ((data.train, "training"), (data.validation, "validation"), (data.test, "test"))
    return [
        ("data", data.name),
        ("samples", ", ".join(f"{count:,} {part}" for count, part in parts if count)),
        ("SHA-256 of the data", data.sha256),
        *([("seed of the split", str(data.split_seed))] if data.split_seed is not None else []),
        ("seed", str(environment.seed)),
        ("device", f"{environment.device_name} ({environment.device}), {environment.precision}"),
        ("threads, processes", f"{environment.threads}, {environment.processes}"),
        ("platform", environment.platform),
        ("versions", f"caedsl {environment.caedsl}, torch {environment.torch}, Python {environment.python}"),
        *(("note", note) for note in environment.notes),
        ("this page", f"caedsl {__version__}"),
    ]
