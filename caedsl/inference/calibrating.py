"""Calibrate a run on normal samples that it was not trained on."""

from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.data.folder_layout import TRAIN, VALIDATION
from caedsl.inference.calibration import Calibration, CalibrationError, calibrate
from caedsl.inference.own_data import digests, own_data
from caedsl.inference.samples import Samples
from caedsl.inference.schema import write_calibration
from caedsl.inference.trained_run import TrainedRun, open_trained
from caedsl.runs.errors import RunError
from caedsl.training.reporter import Reporter


def calibrate_run(
    path: Path,
    good: Path | None,
    fpr: float,
    kind: str,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    reporter: Reporter | None = None,
) -> Calibration:
    """Set the threshold of the run in the folder ``path`` and keep it there; return it.

    ``good`` leads to normal samples, None to the run's own validation part. ``fpr`` is the false positive rate, 0 to 1,
    ``kind`` the score as it is written. Raise a ``CalibrationError`` where there are too few, or where some of them
    were trained on.
    """
    reporter = reporter or Reporter()
    run = open_trained(path, device)
    score = run.chosen_score(kind)
    samples: Samples
    if good is None:
        parts = own_data(path, data_dir, reporter)
        if VALIDATION not in parts:
            raise CalibrationError(
                f"{path} held no samples out: name normal samples that it was not trained on, or train with "
                "`validation 20%`"
            )
        samples = parts[VALIDATION]
    else:
        samples = run.samples(good)
        _refuse_trained_on(run, samples, data_dir, reporter)
    calibration = calibrate(run.score(samples, score), fpr, str(score))
    write_calibration(path, calibration)
    return calibration


def _refuse_trained_on(run: TrainedRun, samples: Samples, data_dir: Path | None, reporter: Reporter) -> None:
    """Refuse samples that the run was trained on: better reconstructed than new ones, they lower the threshold."""
    try:
        trained = own_data(run.path, data_dir, Reporter())[TRAIN]
    except (DataError, RunError):
        reporter.note(
            "the training data are not here, so it cannot be checked that none of these samples was trained on"
        )
        return
    known = set(digests(trained))
    found = [samples.names[place] for place, digest in enumerate(digests(samples)) if digest in known]
    if found:
        raise CalibrationError(
            f"{len(found)} of these {len(samples)} samples were trained on, {found[0]} for one: they are reconstructed "
            "better than new ones, so the threshold would be too low; give samples that were held out"
        )
