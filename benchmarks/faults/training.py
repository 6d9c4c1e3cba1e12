"""Training of a spec in this process, measured by the share of the variance that it leaves unexplained.

x_bchw: batch, channels, height, width.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isfinite

import torch
from torch import Tensor

from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.checking import check_source
from caedsl.runs.errors import TrainingError
from caedsl.source import Source
from caedsl.training.batches import Batches
from caedsl.training.loop import Training
from caedsl.training.train import prepare_training

SEEDS = (0, 1, 2)


def outcome(text: str, seeds: Sequence[int] = SEEDS) -> list[float]:
    """Return the FVU of the spec for every seed, infinite if training fails or the model cannot be built."""
    checked = check_source(Source(text))
    if checked.model is None or not checked.model.complete:
        return [inf] * len(seeds)
    images = load(checked.model)
    return [_fvu(checked.model, images, seed) for seed in seeds]


def _fvu(model: Autoencoder, images: Images, seed: int) -> float:
    """Return the validation MSE divided by the variance about the mean image; 1 is as good as that image."""
    try:
        training = _prepared(model, images, seed)
        training.run()
    except TrainingError:
        return inf
    assert training.validation is not None
    error, spread = _mse(training.module, training.validation), _variance(training.validation)
    return error / spread if isfinite(error) else inf


def _prepared(model: Autoencoder, images: Images, seed: int) -> Training:
    assert model.train is not None
    settings = replace(model.train, seed=seed, precision="fp32")
    return prepare_training(model, settings, images, torch.device("cpu"), split_seed=seed)


@torch.no_grad()
def _mse(module: torch.nn.Module, validation: Batches) -> float:
    module.eval()
    total = sum(
        float((module(sample.seen) - sample.target).square().sum(dtype=torch.float64))
        for sample in validation.in_order(512)
    )
    return total / _all(validation).numel()


def _variance(validation: Batches) -> float:
    images = _all(validation).double()
    return float((images - images.mean(dim=0)).square().mean())


def _all(validation: Batches) -> Tensor:
    return next(validation.in_order(len(validation))).target
