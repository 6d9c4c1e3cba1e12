"""Calibrate a run on normal samples that it was not trained on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError
from caedsl.data.files.folder_layout import NORMAL, TRAIN, VALIDATION
from caedsl.diagnostics.text import counted
from caedsl.inference.calibration import MOST_NORMALS, Calibration, CalibrationError, calibrate
from caedsl.inference.opening import open_trained
from caedsl.inference.own_data import own_data, trained_on
from caedsl.inference.samples import Samples, folder_labels
from caedsl.inference.schema import write_calibration
from caedsl.inference.trained_run import TrainedRun
from caedsl.runs.errors import RunError
from caedsl.training.reporter import Reporter

_SHOWN = 5


def calibrate_run(
    path: Path,
    good: Path | list[Path] | None,
    fpr: float,
    kind: str,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    reporter: Reporter | None = None,
) -> Calibration:
    """Set the threshold of the run in the folder ``path``, save it there, and return it.

    ``good`` are normal samples, a path or a list of image files; None uses the run's own validation part. ``fpr`` is
    the false positive rate, 0 to 1, and ``kind`` the score as written on the command line. Raise a ``CalibrationError``
    if there are too few samples or too many, if some of them were trained on, or if their folders show that some are
    not normal.
    """
    reporter = reporter or Reporter()
    run = open_trained(path, device)
    score = run.chosen_score(kind)
    samples: Samples
    if good is None:
        parts = own_data(path, data_dir, reporter)
        if VALIDATION not in parts:
            raise CalibrationError(
                f"{path} has no held-out samples: name normal samples that it was not trained on, or train with "
                "`validation 20%`"
            )
        samples = parts[VALIDATION]
        _refuse_too_many(samples)
        _refuse_anomalies(samples.labels or (), None)
    else:
        samples = run.samples(good)
        _refuse_too_many(samples)
        labels = folder_labels(good) if isinstance(good, list) else samples.labels
        _refuse_anomalies(labels or (), good)
        _refuse_trained_on(run, samples, data_dir, reporter)
    scores = run.score(samples, score)
    calibration = calibrate(scores, fpr, str(score))
    for note in (*samples.notes(), _highest(scores, samples.names)):
        reporter.note(note)
    write_calibration(path, calibration)
    return calibration


def _highest(scores: NDArray[np.float64], names: Sequence[str]) -> str:
    highest, middle = int(scores.argmax()), float(np.median(scores))
    times = f", {scores[highest] / middle:.1f} times the median" if middle > 0 else ""
    return (
        f"{names[highest]} has the highest score, {scores[highest]:.4g}{times}; a score cannot tell whether a sample "
        "is normal: look at it, and remove it if it is not"
    )


def _refuse_too_many(samples: Samples) -> None:
    """Raise ``CalibrationError`` for more scores than ``calibration.json`` can hold."""
    if len(samples) > MOST_NORMALS:
        raise CalibrationError(
            f"{counted(len(samples), 'normal sample')} are more than {MOST_NORMALS:,}, the limit of a calibration: "
            f"name a random sample of at most {MOST_NORMALS:,}"
        )


def _refuse_anomalies(labels: Sequence[str], given: Path | list[Path] | None) -> None:
    """Raise ``CalibrationError`` if folders show anomalies in ``given``, or in the validation part if it is None."""
    normal = {label for label in labels if label.casefold() in NORMAL}
    others = sorted(set(labels) - normal)
    if not normal or not others:
        return
    called, remedy = "the run's validation part", f'train with `only="{min(normal)}"`, or name normal samples'
    if given is not None:
        called, remedy = "the files given", "name only the normal ones"
    if isinstance(given, Path):
        called, remedy = str(given), f"{remedy}, such as {given / min(normal)}"
    count = sum(label in others for label in labels)
    raise CalibrationError(
        f"{count} of {counted(len(labels), 'sample')} of {called} are not normal by their folders "
        f"({', '.join(others[:_SHOWN])}): {remedy}"
    )


def _refuse_trained_on(run: TrainedRun, samples: Samples, data_dir: Path | None, reporter: Reporter) -> None:
    """Raise ``CalibrationError`` for samples that the run was trained on: their scores would lower the threshold."""
    try:
        trained = own_data(run.path, data_dir, Reporter())[TRAIN]
    except (DataError, RunError):
        reporter.note("the training data are not available, so these samples cannot be compared with them")
        return
    found = trained_on(samples, trained, f"{counted(len(samples), 'sample')} given")
    if found is not None:
        raise CalibrationError(f"{found}, so the threshold would be too low; give samples that were held out")
