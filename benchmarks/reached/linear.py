"""The best linear maps, as yardsticks of reconstruction and denoising."""

from torch import Tensor

from caedsl.evaluation.baselines import PCA, fit_pca
from caedsl.evaluation.evaluate import EvaluationSet
from caedsl.evaluation.metrics import Metrics, metrics_of
from caedsl.model.data import InputRange
from caedsl.training.batches import Batches
from caedsl.training.pixel_range import PixelRange

SIZES = (2, 8, 16, 32, 64, 128)
"""Code sizes that PCA is judged at."""
UNIT = PixelRange.of(InputRange(), Tensor())


def components(train: Tensor) -> dict[int, PCA]:
    """Return the PCA of ``train`` at each code size; smaller ones share the components of the largest."""
    whole = fit_pca(Batches(train), max(SIZES)).predictor
    assert whole is not None
    return {size: PCA(whole.mean_d, whole.components_kd[-size:]) for size in SIZES}


def best_denoiser(train: Tensor, eval_set: EvaluationSet) -> tuple[int, Metrics]:
    """Return the number of components, and the scores, of the PCA of clean images that removes noise best."""
    scores = {size: metrics_of(eval_set.predictions(pca), UNIT) for size, pca in components(train).items()}
    return max(scores.items(), key=lambda item: item[1].psnr)
