"""Faults of learning rates, steps and batches."""

from math import ceil

from benchmarks.faults.edits import (
    Edits,
    is_normalised,
    losses,
    setting,
)
from benchmarks.faults.operator_type import operator
from caedsl.layers.shape import elements
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.outputs import output_layer
from caedsl.model.presets import training_images

ADAPTIVE = ("adam", "adamw", "rmsprop")


def _output(model: Autoencoder) -> str:
    layer = output_layer(model)
    return layer.options["activation"].name if layer else ""


def _steps(model: Autoencoder) -> int | None:
    images = training_images(model)
    return None if images is None or model.train is None else ceil(images / model.train.batch) * model.train.epochs


def rate(model: Autoencoder, lr: float) -> Edits:
    """Another learning rate of an adaptive optimiser."""
    if model.train is None or model.train.optimizer.name not in ADAPTIVE:
        return []
    return setting(model, f"optimizer {model.train.optimizer.name} lr={lr:g}")


def low_rate(model: Autoencoder, distance: float) -> Edits:
    """A rate with which no weight can travel farther than ``distance`` in all steps."""
    steps = _steps(model)
    if model.train is None or steps is None or model.train.schedule.name != "constant":
        return []
    return rate(model, float(f"{distance / steps:.2g}"))


def plain_sgd(model: Autoencoder, lr: float) -> Edits:
    """SGD on a mean over pixels."""
    sigmoid_mse = losses(model) == ["mse"] and _output(model) == "sigmoid" and not is_normalised(model)
    plain = model.train is not None and model.train.loss.reduction == "mean" and model.train.schedule.name == "constant"
    numbers, steps = elements(model.input.shape), _steps(model)
    if not sigmoid_mse or not plain or steps is None or (lr >= 1 and numbers > 1_000):
        return []
    if lr < 1 and lr * steps > numbers / 4:  # in the pilot a fourth of a pixel-wise rate of 1 a step was already enough
        return []
    return setting(model, f"optimizer sgd lr={lr:g}")


def summed(model: Autoencoder, lr: float) -> Edits:
    """A loss summed over pixels with a rate of SGD that was made for means."""
    if losses(model) != ["mse"] or is_normalised(model):
        return []
    return [*setting(model, "loss mse reduction=sum"), *setting(model, f"optimizer sgd lr={lr:g} momentum=0.9")]


def few_steps(model: Autoencoder, steps: int) -> Edits:
    """One epoch of so many batches."""
    images = training_images(model)
    if images is None or model.train is None or model.train.optimizer.lr > 5e-3:
        return []
    return [*setting(model, f"batch {ceil(images / steps)}"), *setting(model, "epochs 1")]


def huge_batch(model: Autoencoder, share: float) -> Edits:
    """So few batches an epoch, where there are not so many epochs that the steps suffice all the same."""
    images = training_images(model)
    if images is None or model.train is None or model.train.epochs > 100:
        return []
    return setting(model, f"batch {int(images * share)}")


OPTIMISATION = [
    operator(
        "rate too high",
        "optimisation",
        "high-learning-rate",
        rate,
        strengths={"mild": 0.02, "strong": 0.1, "fatal": 1.0},
        harmless="mild",
        trained=True,
    ),
    operator(
        "rate too low",
        "optimisation",
        "low-learning-rate",
        low_rate,
        strengths={"mild": 0.6, "strong": 0.05, "fatal": 0.005},
        harmless="mild",
        trained=True,
    ),
    operator(
        "SGD on a mean",
        "optimisation",
        "mismatched-sgd-rate",
        plain_sgd,
        strengths={"mild": 10.0, "strong": 0.01, "fatal": 1e-4},
        harmless="mild",
        trained=True,
    ),
    operator(
        "summed loss, rate for means",
        "optimisation",
        "mismatched-sgd-rate",
        summed,
        strengths={"mild": 1e-3, "strong": 0.1, "fatal": 10.0},
        harmless="mild",
        trained=True,
    ),
    operator(
        "too few steps",
        "optimisation",
        "too-few-steps low-learning-rate oversized-batch",
        few_steps,
        strengths={"mild": 150, "strong": 50, "fatal": 10},
        trained=True,
    ),
    operator(
        "batch as large as the data",
        "optimisation",
        "oversized-batch too-few-steps low-learning-rate",
        huge_batch,
        also="memory-budget",
        strengths={"strong": 0.5, "fatal": 2.0},
        trained=True,
    ),
]
