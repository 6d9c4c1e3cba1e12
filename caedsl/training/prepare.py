"""Prepare a run from a module, images and settings."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor, nn

from caedsl.backends.torch.batch_parts import parts_of
from caedsl.backends.torch.fast import fast_form
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.backends.torch.program import Penalty
from caedsl.data.errors import DataError
from caedsl.data.stacks.pixels import Held, Pixels
from caedsl.model.data import InputRange
from caedsl.model.settings import Settled, Train, settled
from caedsl.runs.errors import TrainingError
from caedsl.training.batches import Batches, resident
from caedsl.training.callbacks import stopping
from caedsl.training.device import fix_cublas_workspace
from caedsl.training.loop import Training
from caedsl.training.objective import Objective
from caedsl.training.pixel_range import PixelRange
from caedsl.training.precision import Precision, choose_precision
from caedsl.training.preprocessing import normalise_of
from caedsl.vocabulary.shape import noun, rank
from caedsl.vocabulary.term import Term

UNIT_RANGE = InputRange()
CPU = torch.device("cpu")


class Targets(NamedTuple):
    """Expected outputs for the training images and the held-out images, and their range.

    None stands for the images themselves, and for the range of the input.
    """

    train: Pixels | None = None
    held_out: Pixels | None = None
    range: InputRange | None = None


ALIKE = Targets()


def prepare(
    module: nn.Module,
    images: Tensor | Pixels,
    settings: Train,
    *,
    train: Tensor | None = None,
    validation: Tensor | None = None,
    held_out: Pixels | None = None,
    targets: Targets = ALIKE,
    labels: Tensor | None = None,
    weights: Tensor | None = None,
    input_range: InputRange = UNIT_RANGE,
    penalties: Sequence[Penalty] = (),
    code: Sequence[Term] = (),
    device: torch.device = CPU,
) -> Training:
    """Return a run of ``module`` on images N×C×H×W that is ready to start.

    ``train`` and ``validation`` are the indices of the images to train on (default: all) and to hold out (default:
    none). ``held_out`` are separate validation images, used instead of ``validation``. ``targets`` are the expected
    outputs if they are not the images themselves, ``labels`` the classes, and ``weights`` the weights of the images in
    the loss. ``penalties`` are the penalties on weights, ``code`` the terms that the code adds. Raise ``TrainingError``
    for settings that cannot work with these images or this device, and for values that are still ``auto``.
    """
    complete = settled(settings)
    if complete is None:
        raise TrainingError("`auto` must be replaced by a number first: see caedsl.training.search.auto")
    if complete.deterministic:
        fix_cublas_workspace(device)
    pixels = Held(images) if isinstance(images, Tensor) else images
    train_batches, validation_batches = _batches(pixels, train, validation, held_out, targets, labels, weights, device)
    _check_trainable(module, train_batches, complete)
    target_range = targets.range or input_range
    values = PixelRange.of(target_range, train_batches.wanted)
    objective = Objective(complete.loss, values, penalties, code, normalise_of(module))
    precision = choose_precision(complete.precision, device)
    network = _network(module, train_batches, precision)
    training = Training(
        module, train_batches, validation_batches, complete, objective, input_range, precision, network, target_range
    )
    training.callbacks = stopping()
    return training


def _batches(
    images: Pixels,
    train: Tensor | None,
    validation: Tensor | None,
    held_out: Pixels | None,
    targets: Targets,
    labels: Tensor | None,
    weights: Tensor | None,
    device: torch.device,
) -> tuple[Batches, Batches | None]:
    """Return the batches of the training and of the held-out images, on the device if they fit; see ``prepare``."""
    samples = resident(images, device)
    batches_at = partial(
        Batches,
        samples,
        device=device,
        targets=None if targets.train is None else resident(targets.train, device),
        labels=None if labels is None else labels.to(samples.device),
        weights=None if weights is None else _scaled_to_mean_one(weights, train).to(samples.device),
    )
    if held_out is not None:
        held_out_targets = None if targets.held_out is None else resident(targets.held_out, device)
        return batches_at(train), Batches(resident(held_out, device), None, device, targets=held_out_targets)
    return batches_at(train), batches_at(validation) if validation is not None and len(validation) else None


def _scaled_to_mean_one(weights: Tensor, train: Tensor | None) -> Tensor:
    """Scale weights to a mean of 1 over the training images, so that they do not change the effective learning rate."""
    mean = (weights if train is None else weights[train]).mean()
    if not mean:
        raise DataError("the weights of all training samples are zero: give some a positive weight")
    return (weights / mean).float()


def _network(module: nn.Module, train: Batches, precision: Precision) -> nn.Module:
    """Return the form of ``module`` that a step calls; only modules built by the backend have another, on the CPU."""
    if isinstance(module, ConvolutionalAutoencoder) and train.device.type == "cpu":
        return fast_form(module, train.shape, precision.dtype)
    return module


def _check_trainable(module: nn.Module, train: Batches, settings: Settled) -> None:
    """Raise ``TrainingError`` if there is nothing to train, or nothing to train on."""
    if not len(train):
        raise TrainingError(f"there are no training {noun(train.shape)}s: add some")
    if not any(weight.requires_grad for weight in module.parameters()):
        raise TrainingError("the model has no weights to train: give it a convolution or a dense layer")
    _check_last_batch(module, train, settings.batch, settings.accumulate)


def _check_last_batch(module: nn.Module, train: Batches, batch: int, accumulate: int) -> None:
    """Raise ``TrainingError`` if a batch part has a single image on which a normalisation cannot be trained.

    Otherwise the run would fail only at the end of its first epoch.
    """
    images, name, places = len(train), noun(train.shape), "x".join("1" * rank(train.shape))
    if not _computes_single_images(images, batch, accumulate):
        return
    trial = deepcopy(module).to(train.device).train()
    try:
        with torch.no_grad():
            trial(next(train.in_order(1)).seen)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        if images == 1:
            raise TrainingError(
                f"there is only one training {name}, but a normalisation on a {places} map needs two"
            ) from error
        better = next(
            size for size in count(max(2, batch - 1)) if not _computes_single_images(images, size, accumulate)
        )
        what = "the last batch" if accumulate == 1 else f"one of the {accumulate} parts of a batch"
        raise TrainingError(
            f"{what} of each epoch has only one {name} ({images} {name}s in batches of {batch}), but a normalisation "
            f"on a {places} map needs two: use another batch size, such as `batch {better}`"
        ) from error


def _computes_single_images(images: int, batch: int, accumulate: int) -> bool:
    """Return whether some part of a step has a single image."""
    last = images % batch or batch
    return 1 in (*parts_of(min(images, batch), accumulate), *parts_of(min(images, last), accumulate))
