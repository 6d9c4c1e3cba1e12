"""Quality of codes: their statistics, and class accuracies by 5-NN and a linear probe, compared with PCA."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.data.errors import DataError
from caedsl.diagnostics.text import counted
from caedsl.evaluation.baselines import PCA, fit_pca
from caedsl.evaluation.code_statistics import Codes, CodeStatistics, finite_codes
from caedsl.evaluation.reevaluation import finished_run
from caedsl.training.batches import Batches
from caedsl.training.reporter import Reporter
from caedsl.vocabulary.shape import elements

NEIGHBOURS = 5
MOST_SAMPLES = 10_000
"""Largest number of samples of each part; more change the accuracies only in the third digit and take minutes."""
_BATCH = 256
_ITERATIONS = 2000


@dataclass(frozen=True)
class Representation:
    """Accuracies on held-out samples from the codes of ``model`` and ``PCA-k``, and statistics of the model's codes."""

    part: str
    samples: int
    accuracies: dict[str, tuple[float, float]]
    statistics: CodeStatistics


def represent(
    path: Path, device: str, data_dir: Path | None, reporter: Reporter, data_root: Path | None = None
) -> Representation:
    """Evaluate the codes of the run in the folder ``path``. Raise ``DataError`` if its data have no suitable labels."""
    run, images = finished_run(path, device, data_dir, reporter, data_root)
    part, held_out = run.held_out
    labels = images.labels_of(part)
    if images.labels is None or labels is None or part == "training":
        missing = "have no held-out samples" if part == "training" else "have no labels"
        raise DataError(f"the data of {path} {missing}: --probe predicts classes from the codes of held-out samples")
    module, size = run.module, elements(run.model.code_shape)
    assert isinstance(module, ConvolutionalAutoencoder), "runs train autoencoders"
    train, test = run.train.spread(MOST_SAMPLES), held_out.spread(MOST_SAMPLES)
    labels_of_both = images.labels[train.index.cpu()].numpy(), labels[test.index.cpu()].numpy()
    if len(set(labels_of_both[0].tolist())) < 2:
        raise DataError(
            f"the training samples of {path} all belong to one class, but --probe needs two: train on data with more "
            "classes"
        )
    codes = finite_codes(_codes(module, train), path), finite_codes(_codes(module, test), path)
    accuracies = {"model": _accuracies(codes, labels_of_both)}
    linear = fit_pca(run.train.of_inputs(), size).predictor
    if linear is not None:
        accuracies[f"PCA-{size}"] = _accuracies((_projected(linear, train), _projected(linear, test)), labels_of_both)
    return Representation(part, len(test), accuracies, CodeStatistics.of(codes[1]))


@torch.no_grad()
def _codes(module: ConvolutionalAutoencoder, images: Batches) -> Codes:
    return _joined([module.encode(sample.seen.float()) for sample in images.in_order(_BATCH)])


def _projected(pca: PCA, images: Batches) -> Codes:
    seen = (sample.seen.double().flatten(1) for sample in images.in_order(_BATCH))
    return _joined([(x_bd - pca.mean_d) @ pca.components_kd.T for x_bd in seen])


def _joined(parts: list[Tensor]) -> Codes:
    return torch.cat([part.flatten(1).cpu() for part in parts]).double().numpy()


def _accuracies(codes: tuple[Codes, Codes], labels: tuple[NDArray[np.int64], NDArray[np.int64]]) -> tuple[float, float]:
    """Return the accuracy of 5-NN, and of logistic regression on standardised codes."""
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(codes[0])))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=_ITERATIONS))
    near, linear = (float(of.fit(codes[0], labels[0]).score(codes[1], labels[1])) for of in (neighbours, probe))
    return near, linear


def show(representation: Representation, reporter: Reporter) -> None:
    """Show the accuracies and the statistics."""
    samples = counted(representation.samples, f"{representation.part} sample")
    rows = [[name, f"{near:.4f}", f"{linear:.4f}"] for name, (near, linear) in representation.accuracies.items()]
    reporter.table(["", f"{NEIGHBOURS}-NN", "linear probe"], rows)
    reporter.result(f"accuracy on {samples}, by codes of the training samples")
    reporter.result(representation.statistics.text)
