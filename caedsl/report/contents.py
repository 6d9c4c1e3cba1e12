"""Contents of the report of a run, read from its folder and, if available, from its data."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from caedsl.console.formats import duration
from caedsl.data.errors import DataError
from caedsl.evaluation.schema import (
    AnomaliesRecord,
    MetricsRecord,
    read_anomalies,
    read_evaluation,
    read_scored_samples,
    read_sweep,
)
from caedsl.inference.calibration import Calibration
from caedsl.inference.trained_run import open_trained
from caedsl.model.autoencoder import Autoencoder
from caedsl.report.anomaly_pictures import anomaly_groups
from caedsl.report.charts import code_plot, histogram, loss_curves, sweep_curves, unit_deviations
from caedsl.report.diagrams import diagrams
from caedsl.report.held_out import HeldOut, held_out
from caedsl.report.shown import Shown
from caedsl.report.verdict import VerdictSentence, verdicts
from caedsl.runs.errors import RunError
from caedsl.runs.history import thinned
from caedsl.runs.schema import EnvironmentRecord, RecordError, read_environment, read_epochs, read_troubles, reason_of
from caedsl.runs.trouble import Trouble
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

    Charts are SVG, ``unlisted`` counts the findings of monitors after the first ones, ``missing`` says what cannot be
    shown and why. Pictures of samples are ``sharp`` if they have fewer pixels than their place on the page.
    """

    name: str
    noun: str
    facts: Sequence[tuple[str, str]]
    verdicts: Sequence[VerdictSentence]
    metrics: MetricsRecord
    anomalies: AnomaliesRecord | None
    spec: str
    diagrams: tuple[str, str]
    curves: str
    troubles: Sequence[Trouble]
    unlisted: int
    part: str
    groups: dict[str, Sequence[Shown]]
    contrast: str
    sharp: bool
    found: dict[str, Sequence[Shown]]
    scores: str
    scores_of: str
    codes: str
    units: str
    statistics: str
    code_groups: dict[str, Sequence[Shown]]
    sweep: str
    sweep_of: str
    environment: Sequence[tuple[str, str]]
    commands: Sequence[str]
    missing: Sequence[str]


def contents(path: Path, device: str, data_dir: Path | None, reporter: Reporter) -> Contents:
    """Read what the report of the run in the folder ``path`` shows.

    Raise ``RunError`` if it is not a finished run. Without the run's data there are no pictures and no codes.
    """
    run = open_trained(path, device)
    metrics, anomalies = read_evaluation(path), read_anomalies(path)
    environment = _environment(path)
    epochs, troubles = thinned(read_epochs(path), _STRETCHES), read_troubles(path)
    listed = list(islice(troubles, _MOST_TROUBLES))
    unlisted = sum(1 for _ in troubles)
    if not epochs:
        raise RunError(f"{path} has no epoch in its history: there is nothing to report yet")
    missing: list[str] = []
    shown: HeldOut | None = None
    try:
        shown = held_out(path, device, data_dir, reporter)
    except (DataError, RunError) as error:
        missing.append(f"No reconstructions and no codes: {str(error).splitlines()[0]}")
    sweep = read_sweep(path)
    scores, scores_of = _scores(path, run.calibration, anomalies, shown)
    seen = shown.seen if shown is not None else run.values
    found: dict[str, Sequence[Shown]] = {}
    if anomalies is not None:
        with suppress(DataError):
            found = anomaly_groups(run, anomalies, read_scored_samples(path), seen)
    several = shown is not None and len(shown.codes) > 2 and shown.explained[0] > 0
    return Contents(
        name=run.model.name,
        noun=noun(run.model.input.shape),
        facts=facts(run.model, metrics, epochs[-1].seconds),
        verdicts=verdicts(metrics, anomalies, run.calibration, len(listed) + unlisted, noun(run.model.input.shape)),
        metrics=metrics,
        anomalies=anomalies,
        spec=run.model.source.text.strip(),
        diagrams=diagrams(run.model),
        curves=loss_curves(epochs, metrics.training.best_epoch, listed),
        troubles=listed,
        unlisted=unlisted,
        part=shown.part if shown else "",
        groups=shown.groups if shown else {},
        contrast=shown.contrast if shown else "",
        sharp=max(run.model.input.shape[1:] + run.model.target.shape[1:]) <= _ENLARGED
        and rank(run.model.input.shape) > 1,
        found=found,
        scores=scores,
        scores_of=scores_of,
        codes=code_plot(shown.codes, shown.classes, shown.explained) if shown is not None and several else "",
        units=unit_deviations(shown.statistics.deviations) if shown is not None and several else "",
        statistics=shown.statistics.text if shown else "",
        code_groups=shown.code_groups if shown else {},
        sweep=sweep_curves(sweep) if sweep is not None else "",
        sweep_of=f"{sweep.images:,} {sweep.evaluated_on} samples" if sweep is not None else "",
        environment=_rows(environment),
        commands=_commands(path, environment, run.calibration, anomalies),
        missing=missing,
    )


def _environment(path: Path) -> EnvironmentRecord:
    try:
        return read_environment(path)
    except (OSError, RecordError) as error:
        raise RunError(
            f"{path / 'environment.json'} cannot be read ({reason_of(error)}): name the folder of a complete run"
        ) from error


def facts(model: Autoencoder, metrics: MetricsRecord, seconds: float) -> list[tuple[str, str]]:
    """Return the numbers of a run, which took ``seconds``, by their names."""
    scores = metrics.scores["model"]
    target = [("target", text(model.target.shape))] if model.target is not model.input else []
    found = [("input", text(model.input.shape)), *target, ("code size", f"{metrics.code_size:,}")]
    found.append(("compression", f"{model.compression:.3g} ×"))
    found.append(("parameters", f"{metrics.training.parameters:,}"))
    if scores.psnr is not None:
        found.append(("PSNR", f"{scores.psnr:.2f} dB"))
    if scores.ssim is not None:
        found.append(("SSIM", f"{scores.ssim:.3f}"))
    found += [("epochs", f"{metrics.training.epochs:,}"), ("time", duration(seconds))]
    return found


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
        limit = anomalies.detectors["model"].threshold if "model" in anomalies.detectors else None
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


def _commands(
    path: Path, environment: EnvironmentRecord, calibration: Calibration | None, anomalies: AnomaliesRecord | None
) -> list[str]:
    commands = [f"caedsl train spec.cae --seed {environment.seed}", f"caedsl evaluate {path}"]
    if calibration is not None:
        commands.append(f"caedsl calibrate {path} --score {calibration.score} --fpr {100 * calibration.fpr:g}%")
    if anomalies is not None and Path(anomalies.test).is_dir():
        commands.append(f"caedsl evaluate {path} --test {anomalies.test} --score {anomalies.score}")
    return commands
