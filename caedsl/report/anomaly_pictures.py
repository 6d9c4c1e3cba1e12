"""Anomalies and normal samples of a labelled test set, with maps of where their error is."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from caedsl.data.files.folder_layout import test_folder
from caedsl.evaluation.labelled_test import OWN_TEST, from_own_data, is_table, labelled_test
from caedsl.evaluation.schema import MODEL, AnomaliesRecord, ScoredSample
from caedsl.inference.own_data import own_data
from caedsl.inference.samples import Samples, from_files
from caedsl.inference.scores import ScoreError, read_score
from caedsl.inference.trained_run import BATCH, TrainedRun
from caedsl.report.held_out import SHOWN
from caedsl.report.shown import Shown, heat_uri, picture_uri, shortened
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter

_MOST_TRIED = 1000
"""Look for the files of at most this many samples under a heading, since a record may name a million."""


def anomaly_groups(
    run: TrainedRun,
    record: AnomaliesRecord,
    samples: Sequence[ScoredSample],
    pixels: PixelRange,
    data_dir: Path | None = None,
) -> dict[str, Sequence[Shown]]:
    """Return the samples that were found, missed and rejected, by heading, drawn in the range ``pixels``.

    The result is empty if the test samples are no longer the same. Raise a ``DataError`` or a ``RunError`` if they
    cannot be read.
    """
    root = _folder(Path(record.test))
    inside = None if root is None else root.resolve()
    chosen = _chosen(record, samples, lambda row: inside is not None and _is_file_in(inside / row.name, inside))
    if root is None or not any(chosen.values()):
        root, chosen = None, _chosen(record, samples, lambda row: True)
    wanted = list(dict.fromkeys(row for rows in chosen.values() for row in rows))
    if root is not None:
        shown = _shown(run, from_files([root / row.name for row in wanted], root, run.model), wanted, record, pixels)
    else:
        everything = _test_samples(run, record, data_dir)
        if list(everything.names) != [row.name for row in samples]:
            return {}
        places = {row: place for place, row in enumerate(samples)}
        shown = _shown(run, _picked(everything, [places[row] for row in wanted]), wanted, record, pixels)
    return {heading: [shown[row] for row in rows] for heading, rows in chosen.items() if rows}


def _folder(test: Path) -> Path | None:
    """Return the folder that the names of image files are relative to, or None if the test cannot consist of them."""
    if test.is_dir():
        return test_folder(test)
    return test.parent if is_table(test) and test.is_file() else None


def _is_file_in(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder)


def _test_samples(run: TrainedRun, record: AnomaliesRecord, data_dir: Path | None) -> Samples:
    if record.test != OWN_TEST:
        return labelled_test(run, Path(record.test)).samples
    return from_own_data(run, own_data(run.path, data_dir, Reporter()), data_dir, Reporter()).samples


def _chosen(
    record: AnomaliesRecord, samples: Sequence[ScoredSample], is_there: Callable[[ScoredSample], bool]
) -> dict[str, Sequence[ScoredSample]]:
    """Return the first samples for each heading of those that are there; look up only as many as that takes."""
    model = record.detectors.get(MODEL)
    threshold = model.threshold.value if model is not None and model.threshold is not None else None
    by_score = sorted(samples, key=lambda row: row.score)
    anomalies = [row for row in by_score if row.anomalous]
    normals = [row for row in by_score if not row.anomalous]
    if threshold is None:
        chosen = {"Highest scores of anomalies": anomalies[::-1], "Lowest scores of anomalies": anomalies}
        chosen["Highest scores of normal samples"] = normals[::-1]
    else:
        chosen = {
            "Found": [row for row in reversed(anomalies) if row.score > threshold],
            "Missed": [row for row in anomalies if row.score <= threshold],
            "Normal, and rejected": [row for row in reversed(normals) if row.score > threshold],
        }
    return {heading: list(islice(filter(is_there, rows[:_MOST_TRIED]), SHOWN)) for heading, rows in chosen.items()}


def _picked(samples: Samples, places: Sequence[int]) -> Tensor:
    """Return the samples at these positions, in this order."""
    picked: dict[int, Tensor] = {}
    for batch, values in samples.batches(BATCH):
        picked |= {place: values[place - batch.start] for place in places if batch.start <= place < batch.stop}
    return torch.stack([picked[place] for place in places])


@torch.no_grad()
def _shown(
    run: TrainedRun, data: Samples | Tensor, rows: Sequence[ScoredSample], record: AnomaliesRecord, pixels: PixelRange
) -> dict[ScoredSample, Shown]:
    try:
        chosen = read_score(record.score)
    except ScoreError:
        chosen = run.chosen_score("mse")
    drawn = {}
    for batch in run.stream(data):
        maps = chosen.kind.map(run.compare(batch, chosen))
        for offset, row in enumerate(rows[batch.place]):
            pictures = {
                "original": picture_uri(batch.target[offset], pixels),
                "output": picture_uri(batch.reconstruction[offset], pixels),
                "error": heat_uri(maps[offset]),
            }
            drawn[row] = Shown(f"{shortened(row.name)}, score {row.score:.3g}", pictures)
    return drawn
