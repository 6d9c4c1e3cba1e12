"""Anomalies and normal samples of a labelled test set, with maps of where their error is."""

from collections.abc import Sequence
from pathlib import Path

import torch

from caedsl.data.files.folder_layout import test_folder
from caedsl.evaluation.labelled_test import is_table
from caedsl.evaluation.schema import AnomaliesRecord, ScoredSample
from caedsl.inference.samples import from_files
from caedsl.inference.scores import ScoreError, read_score
from caedsl.inference.trained_run import TrainedRun
from caedsl.report.held_out import SHOWN
from caedsl.report.shown import Shown, heat_uri, picture_uri, shortened
from caedsl.training.pixel_range import PixelRange


def anomaly_groups(
    run: TrainedRun, found: AnomaliesRecord, samples: Sequence[ScoredSample], pixels: PixelRange
) -> dict[str, Sequence[Shown]]:
    """Return the samples that were found, missed and rejected, by heading, drawn in the range ``pixels``.

    The result is empty if the test samples are not image files, or no longer exist.
    """
    test = Path(found.test)
    if not test.is_dir() and not (is_table(test) and test.is_file()):
        return {}
    root = test_folder(test) if test.is_dir() else test.parent
    inside = root.resolve()
    there = [row for row in samples if _is_file_in(root / row.name, inside)]
    model = found.detectors.get("model")
    threshold = model.threshold.value if model is not None and model.threshold is not None else None
    by_score = sorted(there, key=lambda row: row.score)
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
    return {heading: _shown(run, root, found.score, rows[:SHOWN], pixels) for heading, rows in chosen.items() if rows}


def _is_file_in(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder)


@torch.no_grad()
def _shown(run: TrainedRun, root: Path, score: str, rows: Sequence[ScoredSample], pixels: PixelRange) -> list[Shown]:
    try:
        chosen = read_score(score)
    except ScoreError:
        chosen = run.chosen_score("mse")
    drawn = []
    samples = from_files([root / row.name for row in rows], root, run.model)
    for batch in run.stream(samples):
        maps = chosen.kind.map(run.compare(batch, chosen))
        for offset, row in enumerate(rows[batch.place]):
            pictures = {
                "original": picture_uri(batch.target[offset], pixels),
                "output": picture_uri(batch.reconstruction[offset], pixels),
                "error": heat_uri(maps[offset]),
            }
            drawn.append(Shown(f"{shortened(row.name)}, score {row.score:.3g}", pictures))
    return drawn
