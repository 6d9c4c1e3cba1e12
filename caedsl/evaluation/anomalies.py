"""Evaluate how well a run finds anomalies in labelled test samples, compared with PCA at the same code size."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from caedsl.data.errors import DataError
from caedsl.data.files.folder_layout import TRAIN, VALIDATION
from caedsl.diagnostics.text import counted
from caedsl.evaluation.anomaly_results import AnomalyEvaluation, DetectorResult, Threshold, TypeResult
from caedsl.evaluation.baselines import PCA, fit_pca
from caedsl.evaluation.detection import detection, per_region_overlap, pixel_auroc
from caedsl.evaluation.labelled_test import LabelledTest, from_own_data, labelled_test, masks_of
from caedsl.evaluation.schema import MODEL
from caedsl.inference.calibration import CalibrationError, calibrate
from caedsl.inference.opening import open_trained
from caedsl.inference.own_data import PartSamples, own_data, trained_on
from caedsl.inference.samples import Samples
from caedsl.inference.scores import ChosenScore, Compared
from caedsl.inference.trained_run import BATCH, TrainedRun
from caedsl.runs.errors import RunError
from caedsl.training.reporter import Reporter
from caedsl.vocabulary.shape import elements

DEFAULT_FPR = 0.01
"""False positive rate for a run without calibration, the default of ``caedsl calibrate``."""


@dataclass(frozen=True)
class _Scored:
    """Scores of samples, and their error maps if requested."""

    scores: NDArray[np.float64]
    maps: NDArray[np.float32] | None = None


def evaluate_anomalies(
    path: Path,
    test: Path | list[Path] | None,
    kind: str | None,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    data_root: Path | None = None,
    reporter: Reporter | None = None,
) -> AnomalyEvaluation:
    """Evaluate the run in the folder ``path`` on the labelled samples of ``test``; see ``labelled_test``.

    Nothing is written, and no path of the run may leave ``data_root``. Without ``test`` the samples are the run's own
    test data, where the anomalies are the classes that a run with ``only=`` was not trained on. ``kind`` is the score
    as written on the command line, by default the calibrated one. If the run's own data are missing, there is no PCA
    and no threshold except a calibrated one. Raise ``DataError``, ``RunError`` or ``ScoreError``.
    """
    reporter = reporter or Reporter()
    run = open_trained(path, device)
    score = run.chosen_score(kind)
    notes: list[str] = []
    if test is None:
        parts = own_data(path, data_dir, reporter, data_root)
        labelled = from_own_data(run, parts, data_dir, reporter, data_root)
        notes += labelled.notes
    else:
        labelled = labelled_test(run, test)
        parts = _own_data_if_available(path, data_dir, data_root, notes)
        notes += labelled.notes
        called = counted(len(labelled.samples), "test sample")
        if TRAIN in parts and (found := trained_on(labelled.samples, parts[TRAIN], called)):
            notes.append(f"{found}, so the numbers do not hold for new samples")
    evaluator = _DetectorEvaluator(run, score, labelled, parts, notes)
    results = {MODEL: evaluator.result(None)}
    notes += labelled.samples.notes()
    if TRAIN in parts:
        linear = fit_pca(parts[TRAIN].images, elements(run.model.code_shape))
        notes += [linear.note] if linear.note else []
        if linear.predictor is not None and score.kind.needs_second_code:
            notes.append(f"PCA has no {score} score: a projection of a projection is the same")
        elif linear.predictor is not None:
            results[f"PCA-{elements(run.model.code_shape)}"] = evaluator.result(linear.predictor)
    return AnomalyEvaluation(
        labelled.name, str(score), labelled.normal, evaluator.names, labelled.types, results, notes
    )


def _own_data_if_available(
    path: Path, data_dir: Path | None, data_root: Path | None, notes: list[str]
) -> dict[str, PartSamples]:
    try:
        return own_data(path, data_dir, Reporter(), data_root)
    except (DataError, RunError) as error:
        notes.append(
            f"no comparison with PCA, because the run's own data are not available: {str(error).splitlines()[0]}"
        )
        return {}


class _DetectorEvaluator:
    """Evaluator of several detectors on the same samples; notes for the reader are added to ``notes``."""

    def __init__(
        self,
        run: TrainedRun,
        score: ChosenScore,
        labelled: LabelledTest,
        parts: dict[str, PartSamples],
        notes: list[str],
    ) -> None:
        self.run = run
        self.score = score
        self.labelled = labelled
        self.validation = parts.get(VALIDATION)
        self.notes = notes
        self.names = list(labelled.samples.names)
        anomalous = labelled.anomalous
        have = np.array([mask is not None for mask in labelled.masks]) if labelled.masks else np.zeros(0, np.bool_)
        self.with_maps = np.flatnonzero(~anomalous | have) if have.any() else np.zeros(0, np.int64)
        missing = int(anomalous.sum() - have.sum()) if have.any() else 0
        if missing:
            notes.append(f"{missing} anomalies have no mask: they do not count for the metrics of pixels")

    def result(self, pca: PCA | None) -> DetectorResult:
        """Return the results of the model, or of ``pca``, in finding the anomalies."""
        scored = self._score(self.labelled.samples, pca, maps=len(self.with_maps) > 0)
        anomalous, types = self.labelled.anomalous, np.array(self.labelled.types)
        threshold = self._threshold(pca)
        flagged = ~(scored.scores <= threshold.value) if threshold is not None else None

        def found_in(group: NDArray[np.bool_]) -> int | None:
            return int((flagged & group).sum()) if flagged is not None else None

        by_type = {}
        for name in self.labelled.anomaly_types():
            group = types == name
            subset = ~anomalous | group
            by_type[name] = TypeResult(
                int(group.sum()), detection(anomalous[subset], scored.scores[subset]).auroc, found_in(group)
            )
        auroc, pro = self._pixels(scored.maps)
        return DetectorResult(
            detection(anomalous, scored.scores),
            auroc,
            pro,
            threshold,
            found_in(anomalous),
            found_in(~anomalous),
            by_type,
            scored.scores,
        )

    def _pixels(self, maps: NDArray[np.float32] | None) -> tuple[float | None, float | None]:
        if maps is None:
            return None, None
        files = [self.labelled.masks[place] for place in self.with_maps.tolist()]
        masks = np.stack(list(masks_of(files, self.run.fit)))
        return pixel_auroc(masks, maps), per_region_overlap(masks, maps)

    def _threshold(self, pca: PCA | None) -> Threshold | None:
        """Return the calibrated threshold, or one for the same rate from the run's own validation samples."""
        calibration = self.run.calibration
        if pca is None and calibration is not None and calibration.score == str(self.score):
            return Threshold(calibration.threshold, calibration.fpr, len(calibration.normals), calibrated=True)
        if self.validation is None:
            return None
        fpr = calibration.fpr if calibration is not None else DEFAULT_FPR
        try:
            fitted = calibrate(self._score(self.validation, pca).scores, fpr, str(self.score))
        except CalibrationError as error:
            if pca is None:
                self.notes.append(f"no threshold: {error}")
            return None
        return Threshold(fitted.threshold, fpr, len(fitted.normals), calibrated=False)

    @torch.no_grad()
    def _score(self, samples: Samples, pca: PCA | None, maps: bool = False) -> _Scored:
        scores: list[NDArray[np.float64]] = []
        error_maps: list[NDArray[np.float32]] = []
        kind, parameter = self.score.kind, self.score.parameter
        wanted = set(self.with_maps.tolist()) if maps else set()
        for place, compared in self._compared(samples, pca):
            scores.append(kind.of(compared, parameter).cpu().double().numpy())
            numbers = [number for number in range(place.start, place.stop) if number in wanted]
            if numbers:
                batch_maps = kind.map(compared).float().cpu().numpy()
                error_maps.append(batch_maps[[number - place.start for number in numbers]])
        return _Scored(np.concatenate(scores), np.concatenate(error_maps) if error_maps else None)

    def _compared(self, samples: Samples, pca: PCA | None) -> Iterator[tuple[slice, Compared]]:
        if pca is None:
            for batch in self.run.stream(samples):
                yield batch.place, self.run.compare(batch, self.score)
            return
        for place, x in samples.batches(BATCH):
            target, values = x.double(), self.run.values
            yield place, Compared(values.to_unit(target), values.to_unit(pca(target)), target, None)
