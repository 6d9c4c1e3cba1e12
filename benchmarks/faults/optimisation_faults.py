"""Faults of learning rates, steps and batches."""

from math import ceil

from benchmarks.faults.edits import (
    Edits,
    is_normalised,
    losses,
    setting,
)
from benchmarks.faults.operator_type import operator
from caedsl.facts.outputs import output_layer
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import elements

ADAPTIVE = ("adam", "adamw", "rmsprop")


def _output(model: Autoencoder) -> str:
    layer = output_layer(model)
    return layer.activation.name if layer else ""


def _steps(model: Autoencoder) -> int | None:
    images = training_images(model)
    return None if images is None or model.train is None else ceil(images / model.train.batch) * model.train.epochs


def rate(model: Autoencoder, lr: float) -> Edits:
    """Set another learning rate of an adaptive optimizer."""
    if model.train is None or model.train.optimizer.name not in ADAPTIVE:
        return []
    return setting(model, f"optimizer {model.train.optimizer.name} lr={lr:g}")


def low_rate(model: Autoencoder, distance: float) -> Edits:
    """Set a rate at which no weight can move farther than ``distance`` in all steps."""
    steps = _steps(model)
    if model.train is None or steps is None or model.train.schedule.name != "constant":
        return []
    return rate(model, float(f"{distance / steps:.2g}"))


def _is_plain(model: Autoencoder) -> bool:
    """Return whether the loss is the mean squared error after a sigmoid, as in the pilot of SGD rates."""
    sigmoid_mse = losses(model) == ["mse"] and _output(model) == "sigmoid" and not is_normalised(model)
    plain = model.train is not None and model.train.loss.reduction == "mean" and model.train.schedule.name == "constant"
    return sigmoid_mse and plain


def slow_sgd(model: Autoencoder, lr: float) -> Edits:
    """Use SGD on a mean over pixels, with a rate that is usual for sums."""
    steps, numbers = _steps(model), elements(model.input.shape)
    # In the pilot, at 784 pixels, a value of lr · steps / pixels of 1 was enough, but 0.6 was not.
    if not _is_plain(model) or steps is None or 4 * lr * steps > numbers:
        return []
    return setting(model, f"optimizer sgd lr={lr:g}")


def paced_sgd(model: Autoencoder, share: float) -> Edits:
    """Use SGD with momentum 0.9 at a multiple of the pilot's best rate, which is 1 at 784 pixels.

    It does not scale down to a few pixels: 8x8 digits train equally well at 0.08, 0.3 and 0.8 (0.2 of the variance is
    left).
    """
    if not _is_plain(model) or not 500 < elements(model.input.shape) < 1_000:
        return []
    return setting(model, f"optimizer sgd lr={share * elements(model.input.shape) / 784:.2g} momentum=0.9")


def summed(model: Autoencoder, lr: float) -> Edits:
    """Sum the loss over pixels, with an SGD rate that suits means."""
    if losses(model) != ["mse"] or is_normalised(model):
        return []
    return [*setting(model, "loss mse reduction=sum"), *setting(model, f"optimizer sgd lr={lr:g} momentum=0.9")]


def few_steps(model: Autoencoder, steps: int) -> Edits:
    """Train for one epoch with this number of batches."""
    images = training_images(model)
    if images is None or model.train is None or model.train.optimizer.lr > 5e-3:
        return []
    return [*setting(model, f"batch {ceil(images / steps)}"), *setting(model, "epochs 1")]


def huge_batch(model: Autoencoder, share: float) -> Edits:
    """Use so few batches per epoch that the steps do not suffice for the given epochs."""
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
        "SGD too slow on a mean",
        "optimisation",
        "mismatched-sgd-rate",
        slow_sgd,
        strengths={"strong": 0.01, "fatal": 1e-4},
        trained=True,
    ),
    operator(
        "SGD too fast on a mean",
        "optimisation",
        "mismatched-sgd-rate",
        paced_sgd,
        strengths={"mild": 1.0, "strong": 10.0, "fatal": 100.0},
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
        also="setting-without-effect",
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
